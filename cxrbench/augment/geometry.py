"""One affine map for rotation, shift, scale and shear, of pictures and masks alike."""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrbench.augment.ranges import check_widths

__all__ = ["Affine", "AffineDraw"]


@dataclass(frozen=True)
class AffineDraw:
    """One draw: an affine map of the picture onto itself. The default moves nothing.

    Args:
        degrees: rotation about the centre, counter-clockwise.
        right: shift as a fraction of the width.
        down: shift as a fraction of the height.
        scale: how many times as large.
        shear: degrees by which upright lines lean to the right at the top.
        flip: left becomes right. A mirrored heart lies on the wrong side: this changes what is true.
    """

    degrees: float = 0.0
    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0
    shear: float = 0.0
    flip: bool = False

    def matrix(self, shape: tuple[int, int]) -> np.ndarray:
        """(2, 3) float64: pixel (x, y) of the source → pixel of the result, about the middle of the picture.

        First flip, then shear, then scale and rotation, then the shift.
        """
        height, width = shape
        turn, lean = np.deg2rad(self.degrees), np.tan(np.deg2rad(self.shear))
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        shear = np.array([[1, -lean], [0, 1]])  # rows count downwards, so the top leans right
        linear = self.scale * rotation @ shear @ np.diag([-1 if self.flip else 1, 1])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = centre - linear @ centre + np.array([self.right * width, self.down * height])
        return np.column_stack([linear, shift])

    def image(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W), bilinear; what moves in from outside is black."""
        if self == AffineDraw():
            return image.copy()
        height, width = image.shape
        matrix = self.matrix(image.shape)
        return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask (H, W) bool, moved as the picture is; a pixel belongs to it where it covers half of it."""
        return self.image(mask.astype(np.float32)) >= 0.5 if self != AffineDraw() else mask.copy()


@dataclass(frozen=True)
class Affine:
    """How far pictures may move, uniformly to both sides. Left stays left unless it is asked otherwise.

    Args:
        degrees: rotation.
        shift: along each axis, as a fraction of the side.
        scale: x → [1 − scale, 1 + scale] times as large.
        shear: in degrees.
        flip: chance of a left–right flip; 0, because a mirrored chest is another chest.
    """

    degrees: float = 6.0
    shift: float = 0.04
    scale: float = 0.08
    shear: float = 0.0
    flip: float = 0.0

    def __post_init__(self) -> None:
        check_widths(self, below_one=("scale",), up_to_one=("flip",))

    def draw(self, rng: np.random.Generator) -> AffineDraw:
        """Every number is drawn, also those that a width of 0 makes idle: other widths move nothing else."""
        degrees, right, down, scale, shear = rng.uniform(-1, 1, size=5)
        flipped = rng.uniform() < self.flip
        return AffineDraw(
            degrees=degrees * self.degrees,
            right=right * self.shift,
            down=down * self.shift,
            scale=1 + scale * self.scale,
            shear=shear * self.shear,
            flip=bool(flipped),
        )
