"""Networks that know their labels, their preprocessing and the stages where they can be explained.

What needs torch is imported when it is first asked for: listing models (``catalog``) and reading what they
say of themselves (``spec``) do not wait for it.
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

_LATER = {
    "Classifier": "classifier",
    "Features": "classifier",
    "create": "build",
    "default_preprocessing": "build",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
