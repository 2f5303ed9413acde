"""One affine map for rotation, shift, scale and shear, of images and masks alike."""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrbench.augment.ranges import check_widths

__all__ = ["Affine", "AffineDraw"]


@dataclass(frozen=True)
class AffineDraw:
    """One drawn affine map of an image onto itself; the default is the identity.

    Args:
        degrees: rotation about the centre, counter-clockwise.
        right: shift as a fraction of the width.
        down: shift as a fraction of the height.
        scale: magnification factor.
        shear: degrees by which vertical lines lean to the right at the top.
        flip: mirror left and right. A mirrored heart lies on the wrong side: this changes the findings.
    """

    degrees: float = 0.0
    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0
    shear: float = 0.0
    flip: bool = False

    def matrix(self, shape: tuple[int, int]) -> np.ndarray:
        """Matrix (2, 3) float64: pixel (x, y) of the source → pixel of the result, about the image centre.

        First flip, then shear, then scale and rotation, then the shift.
        """
        height, width = shape
        angle, slope = np.deg2rad(self.degrees), np.tan(np.deg2rad(self.shear))
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        shear = np.array([[1, -slope], [0, 1]])  # rows count downwards, so the top leans right
        linear = self.scale * rotation @ shear @ np.diag([-1 if self.flip else 1, 1])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = centre - linear @ centre + np.array([self.right * width, self.down * height])
        return np.column_stack([linear, shift])

    def image(self, image: np.ndarray) -> np.ndarray:
        """Transform an image (H, W), bilinearly; pixels from outside are black."""
        if self == AffineDraw():
            return image.copy()
        height, width = image.shape
        matrix = self.matrix(image.shape)
        return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Transform a mask (H, W) bool like the image; pixels covered by at least half are true."""
        return self.image(mask.astype(np.float32)) >= 0.5 if self != AffineDraw() else mask.copy()


@dataclass(frozen=True)
class Affine:
    """Ranges of affine maps, uniform to both sides.

    Args:
        degrees: largest rotation.
        shift: largest shift along each axis, as a fraction of the side.
        scale: magnification in [1 − scale, 1 + scale].
        shear: largest shear, in degrees.
        flip: probability of a left–right flip; 0, because a mirrored chest has other findings.
    """

    degrees: float = 6.0
    shift: float = 0.04
    scale: float = 0.08
    shear: float = 0.0
    flip: float = 0.0

    def __post_init__(self) -> None:
        check_widths(self, below_one=("scale",), up_to_one=("flip",))

    def draw(self, rng: np.random.Generator) -> AffineDraw:
        """Draw a map: all numbers, also unused ones, so that one width does not change the others."""
        degrees, right, down, scale, shear = rng.uniform(-1, 1, size=5)
        return self.at(degrees, right, down, scale, shear=shear, flip=rng.uniform())

    def at(
        self, degrees: float, right: float, down: float, scale: float, *, shear: float, flip: float
    ) -> AffineDraw:
        """The map at a place within these ranges.

        Args:
            degrees: in [−1, 1], like the next ones: 0 is the identity, ±1 the ends of the range.
            right: to the right.
            down: downwards.
            scale: 1 is the largest magnification.
            shear: of vertical lines.
            flip: in [0, 1): flips where it is below the probability.
        """
        return AffineDraw(
            degrees=degrees * self.degrees,
            right=right * self.shift,
            down=down * self.shift,
            scale=1 + scale * self.scale,
            shear=shear * self.shear,
            flip=bool(flip < self.flip),
        )
