"""Networks that know their labels, their preprocessing and the stages where they can be explained.

Names that need torch are imported on first use, so that listing models (``catalog``) and reading their
specifications (``spec``) do not import it.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

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

_LAZY = {
    "Classifier": "classifier",
    "Features": "classifier",
    "create": "build",
    "default_preprocessing": "build",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
