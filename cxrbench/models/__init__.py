"""Networks that know their labels, their preprocessing, and where they can be explained."""

from cxrbench.models.build import create, default_preprocessing
from cxrbench.models.classifier import Classifier, Features
from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import ARCHITECTURES, Architecture, Stage, architecture

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Classifier",
    "Features",
    "ModelSpec",
    "Stage",
    "architecture",
    "create",
    "default_preprocessing",
]
