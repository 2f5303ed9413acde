"""Augmentations that leave a radiograph's findings true; no left–right flip by default."""

from cxrbench.augment.elastic import Elastic, Warp
from cxrbench.augment.geometry import Geometry, Move
from cxrbench.augment.intensity import Exposure, Intensity
from cxrbench.augment.light import Augmentation, Draw, apply
from cxrbench.augment.mixup import Blend, Mixup
from cxrbench.augment.table import AUGMENTATIONS, AugmentationMethod, Change, Ranges

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "AugmentationMethod",
    "Blend",
    "Change",
    "Draw",
    "Elastic",
    "Exposure",
    "Geometry",
    "Intensity",
    "Mixup",
    "Move",
    "Ranges",
    "Warp",
    "apply",
]
