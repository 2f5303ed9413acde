"""Mixup of two radiographs and their targets; NaN targets stay NaN."""

from dataclasses import dataclass

import numpy as np

from cxrbench.errors import InputError

__all__ = ["Mixup", "MixupDraw"]


@dataclass(frozen=True, eq=False)
class MixupDraw:
    """One draw for a batch: image i becomes λᵢ · image i + (1 − λᵢ) · image partnerᵢ.

    Args:
        partners: (B,) int: index of the image that each is mixed with; possibly itself.
        shares: (B,) float in [½, 1]: λ.
    """

    partners: np.ndarray
    shares: np.ndarray

    def images(self, images: np.ndarray) -> np.ndarray:
        """Mix images (B, …) float; returns float32."""
        share = self.shares.reshape(-1, *[1] * (images.ndim - 1)).astype(np.float32)
        mixed: np.ndarray = share * images + (1 - share) * images[self.partners]
        return mixed

    def targets(self, targets: np.ndarray) -> np.ndarray:
        """Mix targets (B, L) in [0, 1] or NaN; NaN where either is unknown.

        Using only the known one would ignore the other image. Where λ is 1, the partner has no influence.

        Raises:
            InputError: a target of −1: uncertain labels need a policy before they can be mixed.
        """
        known = targets[~np.isnan(targets)]
        if known.size and (known.min() < 0 or known.max() > 1):
            raise InputError(
                "Mixup needs targets in [0, 1] or NaN; got "
                f"{known.min():g} to {known.max():g}; apply a policy for uncertain labels first."
            )
        share = self.shares[:, None].astype(targets.dtype)
        mixed = share * targets + (1 - share) * targets[self.partners]
        return np.where(share == 1, targets, mixed)


@dataclass(frozen=True)
class Mixup:
    """Distribution of mixup.

    λ is drawn from Beta(alpha, alpha) per image and replaced by max(λ, 1 − λ), so that the mixed image i is
    dominated by image i.

    Args:
        alpha: parameter of the Beta distribution; 0 mixes nothing, 1 is the uniform distribution.

    Reference:
        Zhang et al. 2018, "mixup: Beyond empirical risk minimization", arXiv:1710.09412. There one λ is
        drawn per batch.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and self.alpha >= 0):
            raise InputError(f"Mixup alpha must be a finite number, at least 0; got {self.alpha!r:.50}.")

    def draw(self, rng: np.random.Generator, count: int) -> MixupDraw:
        """Draw partners and shares for a batch of ``count`` images."""
        partners = rng.permutation(count)
        if self.alpha == 0:
            return MixupDraw(partners, np.ones(count))
        shares = rng.beta(self.alpha, self.alpha, size=count)
        return MixupDraw(partners, np.maximum(shares, 1 - shares))
