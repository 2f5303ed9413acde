"""The table of augmentations."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from cxrbench.augment.elastic import Elastic
from cxrbench.augment.geometry import Affine
from cxrbench.augment.intensity import Intensity

__all__ = ["AUGMENTATIONS", "AugmentationMethod", "Change", "Ranges"]


class Change(Protocol):
    """One draw, ready to be applied; it draws nothing more."""

    def image(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W) float in [0, 1] → the changed one."""

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask (H, W) bool, moved as the picture is."""


class Ranges(Protocol):
    """How far something may change."""

    def draw(self, rng: np.random.Generator) -> Any:
        """One draw: a `Change`."""


@dataclass(frozen=True)
class AugmentationMethod:
    """One kind of augmentation.

    Args:
        name: its key in `AUGMENTATIONS`.
        title: for menus.
        ranges: its widths at most, as the page offers them.
        moves: whether masks move with it.
        summary: why a training film may be changed so.
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
            "Patients lean, and cassettes are put in by hand.",
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
            "People differ in size, and tubes in distance. Much of it makes every heart large.",
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
            "Makers process films each in their own way; what is bright is not always dense.",
        ),
        AugmentationMethod(
            "noise",
            "Noise",
            Intensity(brightness=0, contrast=0, gamma=0, noise=0.08),
            False,
            "A low dose, a stout patient. Too much of it hides small lesions that the label still claims.",
        ),
        AugmentationMethod(
            "elastic",
            "Elastic deformation",
            Elastic(strength=0.04),
            True,
            "Breathing and posture move soft parts against each other. Strong ones bend ribs as none bend.",
        ),
        AugmentationMethod(
            "flip",
            "Left–right flip",
            Affine(degrees=0, shift=0, scale=0, flip=1),
            True,
            "Not used unless asked for: a heart on the right side is a finding, not another view.",
        ),
    )
}
