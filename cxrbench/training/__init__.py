"""From a recipe to weights: configuration, data, losses, the loop, results.

Each name is imported when it is first asked for: how a run stands (``running``) is told without pandas, and a
recipe (``config``) is read without torch.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from cxrbench.training import recipe, report, running, sources, supervision
    from cxrbench.training.config import DataConfig, Phase, TrainConfig
    from cxrbench.training.dataset import Batches, Images, decode
    from cxrbench.training.evaluation import scores_of
    from cxrbench.training.loop import Engine
    from cxrbench.training.losses import LOSSES, masked_bce, positive_weights
    from cxrbench.training.progress import Position
    from cxrbench.training.sampling import SAMPLINGS

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
    "running",
    "scores_of",
    "sources",
    "supervision",
]

# Name → the module that it comes from; the other names are modules themselves.
_LATER = {
    "LOSSES": "losses",
    "SAMPLINGS": "sampling",
    "Batches": "dataset",
    "DataConfig": "config",
    "Engine": "loop",
    "Images": "dataset",
    "Phase": "config",
    "Position": "progress",
    "TrainConfig": "config",
    "decode": "dataset",
    "masked_bce": "losses",
    "positive_weights": "losses",
    "scores_of": "evaluation",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _LATER:
        return _import_module(f"{__name__}.{name}")
    value = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
