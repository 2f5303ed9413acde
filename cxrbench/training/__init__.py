"""From a recipe to weights: configuration, data, losses, the loop, results.

Each name is imported on first use: the status of a run (``run.status``) is read without pandas, and a recipe
(``config``) without torch.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from cxrbench.training import recipe, report, run, sources, supervision
    from cxrbench.training.config import DataConfig, Phase, TrainConfig
    from cxrbench.training.dataset import Batches, Images, decode
    from cxrbench.training.loop.engine import Engine
    from cxrbench.training.loop.progress import Position
    from cxrbench.training.objective.losses import LOSSES, masked_bce, positive_weights
    from cxrbench.training.objective.sampling import SAMPLINGS
    from cxrbench.training.validation import scores_of

__all__ = [
    "LOSSES",
    "SAMPLINGS",
    "Batches",
    "DataConfig",
    "Engine",
    "Images",
    "Phase",
    "Position",
    "TrainConfig",
    "decode",
    "masked_bce",
    "positive_weights",
    "recipe",
    "report",
    "run",
    "scores_of",
    "sources",
    "supervision",
]

# Name → the module that it comes from; the other names are modules themselves.
_LATER = {
    "LOSSES": "objective.losses",
    "SAMPLINGS": "objective.sampling",
    "Batches": "dataset",
    "DataConfig": "config",
    "Engine": "loop.engine",
    "Images": "dataset",
    "Phase": "config",
    "Position": "loop.progress",
    "TrainConfig": "config",
    "decode": "dataset",
    "masked_bce": "objective.losses",
    "positive_weights": "objective.losses",
    "scores_of": "validation",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _LATER:
        return _import_module(f"{__name__}.{name}")
    value = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
