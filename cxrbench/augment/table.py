"""The table of augmentations."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from cxrbench.augment.elastic import Elastic
from cxrbench.augment.geometry import Affine
from cxrbench.augment.intensity import Intensity

__all__ = ["AUGMENTATIONS", "AugmentationMethod", "Change", "Ranges"]


class Change(Protocol):
    """One drawn augmentation; applying it is deterministic."""

    def image(self, image: np.ndarray) -> np.ndarray:
        """Augment an image (H, W) float in [0, 1]."""

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Augment a mask (H, W) bool like the image."""


class Ranges(Protocol):
    """Ranges from which an augmentation is drawn."""

    def draw(self, rng: np.random.Generator) -> Any:
        """Draw a `Change`."""


@dataclass(frozen=True)
class AugmentationMethod:
    """One kind of augmentation.

    Args:
        name: its key in `AUGMENTATIONS`.
        title: for menus.
        ranges: its largest widths, as offered by the Preparation page.
        moves: whether masks change with the image.
        summary: why it is realistic, and its risk.
    """

    name: str
    title: str
    ranges: Ranges
    moves: bool
    summary: str


AUGMENTATIONS: Final[dict[str, AugmentationMethod]] = {
    record.name: record
    for record in (
        AugmentationMethod(
            "rotation",
            "Rotation",
            Affine(degrees=15, shift=0, scale=0),
            True,
            "Patients lean, and cassettes are positioned by hand.",
        ),
        AugmentationMethod(
            "shift",
            "Shift",
            Affine(degrees=0, shift=0.1, scale=0),
            True,
            "The beam is centred a little higher, lower, or to one side.",
        ),
        AugmentationMethod(
            "scale",
            "Scale",
            Affine(degrees=0, shift=0, scale=0.2),
            True,
            "Patients differ in size, and tubes in distance. Strong scaling can imitate an enlarged heart.",
        ),
        AugmentationMethod(
            "shear",
            "Shear",
            Affine(degrees=0, shift=0, scale=0, shear=10),
            True,
            "A detector that is not square to the beam.",
        ),
        AugmentationMethod(
            "curve",
            "Brightness, contrast, gamma",
            Intensity(brightness=0.15, contrast=0.3, gamma=0.6),
            False,
            "Manufacturers process images differently: brightness does not always mean density.",
        ),
        AugmentationMethod(
            "noise",
            "Noise",
            Intensity(brightness=0, contrast=0, gamma=0, noise=0.08),
            False,
            "A low dose or a large patient. Strong noise hides small lesions that are still labelled.",
        ),
        AugmentationMethod(
            "elastic",
            "Elastic deformation",
            Elastic(strength=0.04),
            True,
            "Breathing and posture deform soft tissue. Strong deformation bends ribs unrealistically.",
        ),
        AugmentationMethod(
            "flip",
            "Left–right flip",
            Affine(degrees=0, shift=0, scale=0, flip=1),
            True,
            "Off by default: a heart on the right side is a finding, not another view.",
        ),
    )
}
