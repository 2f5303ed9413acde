"""Augmentations that keep the findings of a radiograph true; no left–right flip by default."""

from cxrbench.augment.elastic import Elastic, ElasticDraw
from cxrbench.augment.geometry import Affine, AffineDraw
from cxrbench.augment.intensity import Intensity, IntensityDraw
from cxrbench.augment.light import Augmentation, Draw, apply
from cxrbench.augment.mixup import Mixup, MixupDraw
from cxrbench.augment.table import AUGMENTATIONS, AugmentationMethod, Change, Parameter, Ranges

__all__ = [
    "AUGMENTATIONS",
    "Affine",
    "AffineDraw",
    "Augmentation",
    "AugmentationMethod",
    "Change",
    "Draw",
    "Elastic",
    "ElasticDraw",
    "Intensity",
    "IntensityDraw",
    "Mixup",
    "MixupDraw",
    "Parameter",
    "Ranges",
    "apply",
]
