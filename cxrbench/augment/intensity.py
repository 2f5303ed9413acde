"""Brightness, contrast, gamma and noise; masks are unchanged."""

from dataclasses import dataclass

import numpy as np

from cxrbench.augment.ranges import check_widths

__all__ = ["Intensity", "IntensityDraw"]


@dataclass(frozen=True)
class IntensityDraw:
    """One drawn change: y = clip(½ + contrast · (x^gamma − ½) + brightness + noise · N(0, 1), 0, 1).

    Args:
        brightness: offset.
        contrast: factor of the distance from ½.
        gamma: exponent.
        noise: standard deviation of white noise, relative to the grey scale [0, 1].
        seed: random seed of the noise, so that applying the draw is deterministic.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    noise: float = 0.0
    seed: int = 0

    def image(self, image: np.ndarray) -> np.ndarray:
        """Change an image (H, W) float in [0, 1]; returns float32."""
        out = 0.5 + self.contrast * (image.astype(np.float32) ** self.gamma - 0.5) + self.brightness
        if self.noise:
            noise = np.random.default_rng(self.seed).standard_normal(image.shape, dtype=np.float32)
            out = out + self.noise * noise
        changed: np.ndarray = np.clip(out, 0, 1).astype(np.float32, copy=False)
        return changed

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Copy a mask (H, W) bool: intensity does not change it."""
        return mask.copy()


@dataclass(frozen=True)
class Intensity:
    """Ranges of intensity changes, uniform to both sides (noise: from 0).

    Args:
        brightness: largest offset of pixels in [0, 1].
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
        """Draw a change of intensity."""
        brightness, contrast, gamma = rng.uniform(-1, 1, size=3)
        noise = rng.uniform()
        return self.at(brightness, contrast, gamma, noise=noise, seed=int(rng.integers(2**32)))

    def at(
        self, brightness: float, contrast: float, gamma: float, *, noise: float, seed: int
    ) -> IntensityDraw:
        """The change at a place within these ranges.

        Args:
            brightness: in [−1, 1], like the next ones: 0 is the identity, ±1 the ends of the range.
            contrast: 1 is the largest factor.
            gamma: 1 is the largest exponent.
            noise: in [0, 1]: a fraction of the largest standard deviation.
            seed: of the noise.
        """
        return IntensityDraw(
            brightness=brightness * self.brightness,
            contrast=1 + contrast * self.contrast,
            gamma=2 ** (gamma * self.gamma),
            noise=noise * self.noise,
            seed=seed,
        )
