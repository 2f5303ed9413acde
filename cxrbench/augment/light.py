"""What differs between two exposures of one patient: position, distance, and the film's curve."""

from dataclasses import dataclass, fields

import cv2
import numpy as np

from cxrbench.errors import InputError

__all__ = ["Augmentation", "Draw", "apply"]

_LEVELS = np.linspace(0, 1, 256, dtype=np.float32)


@dataclass(frozen=True)
class Draw:
    """One draw of an augmentation, in the units of ``Augmentation``; the default changes nothing."""

    degrees: float = 0.0
    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0
    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0


@dataclass(frozen=True)
class Augmentation:
    """How far each property may move, uniformly to both sides. Left stays left: there is no flip.

    Args:
        degrees: rotation about the centre.
        shift: along each axis, as a fraction of the side.
        scale: x → [1 − scale, 1 + scale] times as large.
        brightness: added to pixels in [0, 1].
        contrast: pixels move away from 0.5 by the factor [1 − contrast, 1 + contrast].
        gamma: pixels are raised to 2^[−gamma, gamma].
    """

    degrees: float = 6.0
    shift: float = 0.04
    scale: float = 0.08
    brightness: float = 0.08
    contrast: float = 0.15
    gamma: float = 0.3

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0:
                raise InputError(f"Augmentation {field.name} is a half-width, at least 0; got {value}.")
        if self.scale >= 1:
            raise InputError(f"Augmentation scale must be below 1; got {self.scale}.")

    def draw(self, rng: np.random.Generator) -> Draw:
        """Every number is drawn before any is used, so that applying them draws nothing."""
        degrees, right, down, scale, brightness, contrast, gamma = rng.uniform(-1, 1, size=7)
        return Draw(
            degrees=degrees * self.degrees,
            right=right * self.shift,
            down=down * self.shift,
            scale=1 + scale * self.scale,
            brightness=brightness * self.brightness,
            contrast=1 + contrast * self.contrast,
            gamma=2 ** (gamma * self.gamma),
        )


def apply(image: np.ndarray, draw: Draw) -> np.ndarray:
    """A draw, applied: image (H, W) uint8 → (H, W) float32 in [0, 1]. What moves in from outside is black.

    The three intensity changes act on a pixel's value alone, so they are one table of 256 entries:
    ``clip(0.5 + contrast · (v^gamma − 0.5) + brightness)``.
    """
    height, width = image.shape
    if (draw.degrees, draw.right, draw.down, draw.scale) != (0, 0, 0, 1):
        centre = ((width - 1) / 2, (height - 1) / 2)
        matrix = cv2.getRotationMatrix2D(centre, draw.degrees, draw.scale)
        matrix[:, 2] += (draw.right * width, draw.down * height)
        image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)
    table = 0.5 + draw.contrast * (_LEVELS**draw.gamma - 0.5) + draw.brightness
    return np.clip(table, 0, 1).astype(np.float32)[image]
