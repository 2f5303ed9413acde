"""Brightness, contrast, gamma and noise; masks are unchanged."""

from dataclasses import dataclass

import numpy as np

from cxrbench.augment.ranges import check_widths

__all__ = ["Intensity", "IntensityDraw"]


@dataclass(frozen=True)
class IntensityDraw:
    """One draw: y = clip(½ + contrast · (x^gamma − ½) + brightness + noise · N(0, 1), 0, 1).

    Args:
        brightness: added.
        contrast: factor by which pixels move away from ½.
        gamma: exponent.
        noise: standard deviation of white noise, in [0, 1] of the grey scale.
        seed: of the noise, drawn with the rest, so that applying draws nothing new.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    noise: float = 0.0
    seed: int = 0

    def image(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W) float in [0, 1] → the same, float32."""
        out = 0.5 + self.contrast * (image.astype(np.float32) ** self.gamma - 0.5) + self.brightness
        if self.noise:
            grain = np.random.default_rng(self.seed).standard_normal(image.shape, dtype=np.float32)
            out = out + self.noise * grain
        return np.clip(out, 0, 1).astype(np.float32, copy=False)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask (H, W) bool: it stays."""
        return mask.copy()


@dataclass(frozen=True)
class Intensity:
    """How far exposures may differ, uniformly to both sides (noise: from 0).

    Args:
        brightness: added to pixels in [0, 1].
        contrast: factor in [1 − contrast, 1 + contrast].
        gamma: exponent 2^[−gamma, gamma].
        noise: largest standard deviation.
    """

    brightness: float = 0.08
    contrast: float = 0.15
    gamma: float = 0.3
    noise: float = 0.0

    def __post_init__(self) -> None:
        check_widths(self, below_one=("contrast",))

    def draw(self, rng: np.random.Generator) -> IntensityDraw:
        """Every number is drawn before any is used."""
        brightness, contrast, gamma = rng.uniform(-1, 1, size=3)
        return IntensityDraw(
            brightness=brightness * self.brightness,
            contrast=1 + contrast * self.contrast,
            gamma=2 ** (gamma * self.gamma),
            noise=rng.uniform() * self.noise,
            seed=int(rng.integers(2**32)),
        )
