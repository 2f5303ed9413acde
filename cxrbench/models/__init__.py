"""Networks that know their labels, their preprocessing and the stages where they can be explained.

Names that need torch are imported on first use, so that listing models (``catalog``) and reading their
specifications (``spec``) do not import it.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from cxrbench.lazy_imports import lazy_getattr as _lazy_getattr
from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import ARCHITECTURES, Architecture, Stage, architecture

if _TYPE_CHECKING:
    from cxrbench.models.build import create, default_preprocessing
    from cxrbench.models.classifier import Classifier, Features

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

__getattr__ = _lazy_getattr(
    __name__,
    {
        "Classifier": "classifier",
        "Features": "classifier",
        "create": "build",
        "default_preprocessing": "build",
    },
)
