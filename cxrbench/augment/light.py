"""Variation between two exposures of one patient: position, distance, posture, film curve."""

from dataclasses import dataclass, field

import numpy as np

from cxrbench.augment.elastic import Elastic, ElasticDraw
from cxrbench.augment.geometry import Affine, AffineDraw
from cxrbench.augment.intensity import Intensity, IntensityDraw
from cxrbench.augment.ranges import check_widths

__all__ = ["Augmentation", "Draw", "apply"]

_LEVELS = np.linspace(0, 1, 256, dtype=np.float32)


@dataclass(frozen=True)
class Draw:
    """One draw of an augmentation, in the order of application; the default is the identity."""

    move: AffineDraw = field(default_factory=AffineDraw)
    warp: ElasticDraw = field(default_factory=ElasticDraw)
    exposure: IntensityDraw = field(default_factory=IntensityDraw)


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the augmentation in training, uniform to both sides.

    Args:
        degrees: largest rotation about the centre.
        shift: largest shift along each axis, as a fraction of the side.
        scale: magnification in [1 − scale, 1 + scale].
        brightness: largest offset of pixels in [0, 1].
        contrast: factor of the distance from 0.5, in [1 − contrast, 1 + contrast].
        gamma: exponent of pixels, in 2^[−gamma, gamma].
        shear: largest shear, in degrees.
        flip: probability of a left–right flip; a mirrored chest has other findings.
        elastic: the longest displacement is uniform in [0, elastic], as a fraction of the side.
        noise: the standard deviation of white noise is uniform in [0, noise].
    """

    degrees: float = 6.0
    shift: float = 0.04
    scale: float = 0.08
    brightness: float = 0.08
    contrast: float = 0.15
    gamma: float = 0.3
    shear: float = 0.0
    flip: float = 0.0
    elastic: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        check_widths(self, below_one=("scale", "contrast", "elastic"), up_to_one=("flip",))

    def draw(self, rng: np.random.Generator) -> Draw:
        """Draw all numbers, also unused ones, so that one width does not change the others."""
        degrees, right, down, scale, brightness, contrast, gamma, shear = rng.uniform(-1, 1, size=8)
        flip, noise = rng.uniform(size=2)
        warp = Elastic(self.elastic).draw(rng)
        affine = Affine(self.degrees, self.shift, self.scale, self.shear, self.flip)
        move = affine.at(degrees, right, down, scale, shear=shear, flip=flip)
        intensity = Intensity(self.brightness, self.contrast, self.gamma, self.noise)
        seed = int(rng.integers(2**32))
        return Draw(move, warp, intensity.at(brightness, contrast, gamma, noise=noise, seed=seed))


def apply(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Apply a draw: image (H, W) uint8 → (H, W) float32 in [0, 1]; pixels from outside are black.

    Without noise the intensity depends on the pixel value alone, so it is a look-up table of 256 entries.
    """
    moved = draw.warp.image(draw.move.image(image))
    if draw.exposure.noise:
        return draw.exposure.image(_LEVELS[moved])
    table = draw.exposure.image(_LEVELS)
    return np.asarray(table[moved])
