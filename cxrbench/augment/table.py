"""The table of augmentations: what each is called, its parameters, and the ranges that it is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from cxrbench.augment.elastic import Elastic, ElasticDraw
from cxrbench.augment.geometry import Affine, AffineDraw
from cxrbench.augment.intensity import Intensity, IntensityDraw

__all__ = ["AUGMENTATIONS", "AugmentationMethod", "Change", "Parameter", "Ranges"]


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
class Parameter:
    """One parameter of an augmentation, as a page offers it.

    Args:
        name: of the field of the draw, for example `AffineDraw.degrees`.
        title: label of its control.
        low: smallest value that is offered.
        high: largest value that is offered.
        default: a value whose effect is visible.
        step: between values; 0 for a toggle, whose value is True or False.
        summary: what it does, if the title does not say it.
    """

    name: str
    title: str
    low: float
    high: float
    default: float
    step: float
    summary: str = ""


@dataclass(frozen=True)
class AugmentationMethod:
    """One kind of augmentation.

    Args:
        name: its key in `AUGMENTATIONS`.
        title: for menus.
        ranges: what the Preparation page draws from; wider than a recipe usually draws.
        moves: whether masks change with the image.
        summary: why it is realistic, and its risk.
        parameters: those that can be set instead of drawn.
        change: parameters by name → a change with these values.
    """

    name: str
    title: str
    ranges: Ranges
    moves: bool
    summary: str
    parameters: tuple[Parameter, ...]
    change: Callable[..., Change]


_OF_SIDE: Final = "Fraction of the shorter side."

AUGMENTATIONS: Final[dict[str, AugmentationMethod]] = {
    record.name: record
    for record in (
        AugmentationMethod(
            "rotation",
            "Rotation",
            Affine(degrees=15, shift=0, scale=0),
            True,
            "Patients lean, and cassettes are positioned by hand.",
            (Parameter("degrees", "Degrees", -30.0, 30.0, 10.0, 0.5),),
            AffineDraw,
        ),
        AugmentationMethod(
            "shift",
            "Shift",
            Affine(degrees=0, shift=0.1, scale=0),
            True,
            "The beam is centred a little higher, lower, or to one side.",
            (
                Parameter("right", "To the right", -0.2, 0.2, 0.08, 0.01),
                Parameter("down", "Downwards", -0.2, 0.2, 0.05, 0.01),
            ),
            AffineDraw,
        ),
        AugmentationMethod(
            "scale",
            "Scale",
            Affine(degrees=0, shift=0, scale=0.2),
            True,
            "Patients differ in size, and tubes in distance. Strong scaling can imitate an enlarged heart.",
            (Parameter("scale", "Factor", 0.6, 1.5, 1.15, 0.01),),
            AffineDraw,
        ),
        AugmentationMethod(
            "shear",
            "Shear",
            Affine(degrees=0, shift=0, scale=0, shear=10),
            True,
            "A detector that is not square to the beam.",
            (Parameter("shear", "Shear in degrees", -20.0, 20.0, 8.0, 0.5),),
            AffineDraw,
        ),
        AugmentationMethod(
            "curve",
            "Brightness, contrast, gamma",
            Intensity(brightness=0.15, contrast=0.3, gamma=0.6),
            False,
            "Manufacturers process images differently: brightness does not always mean density.",
            (
                Parameter("brightness", "Brightness", -0.4, 0.4, 0.0, 0.01, "Added to every pixel."),
                Parameter(
                    "contrast", "Contrast", 0.3, 2.0, 1.3, 0.05, "Factor on the distance from mid-grey."
                ),
                Parameter("gamma", "Gamma", 0.4, 2.5, 1.0, 0.05, "Exponent: below 1 brightens dark regions."),
            ),
            IntensityDraw,
        ),
        AugmentationMethod(
            "noise",
            "Noise",
            Intensity(brightness=0, contrast=0, gamma=0, noise=0.08),
            False,
            "A low dose or a large patient. Strong noise hides small lesions that are still labelled.",
            (Parameter("noise", "Standard deviation", 0.0, 0.2, 0.05, 0.005),),
            partial(IntensityDraw, seed=1),
        ),
        AugmentationMethod(
            "elastic",
            "Elastic deformation",
            Elastic(strength=0.04),
            True,
            "Breathing and posture deform soft tissue. Strong deformation bends ribs unrealistically.",
            (
                Parameter("strength", "Longest displacement", 0.0, 0.12, 0.03, 0.005, _OF_SIDE),
                Parameter(
                    "smoothness",
                    "Smoothness",
                    0.03,
                    0.3,
                    0.1,
                    0.01,
                    "Small values bend ribs unrealistically.",
                ),
            ),
            partial(ElasticDraw, seed=1),
        ),
        AugmentationMethod(
            "flip",
            "Left–right flip",
            Affine(degrees=0, shift=0, scale=0, flip=1),
            True,
            "Off by default: a heart on the right side is a finding, not another view.",
            (Parameter("flip", "Flip", False, True, True, 0),),
            AffineDraw,
        ),
    )
}
