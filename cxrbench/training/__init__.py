"""Training: configuration, data, losses, the training loop and reports.

Names are imported on first use, so that the status of a run (``run.status``) can be read without pandas, and
a recipe (``config``) without torch.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from cxrbench.lazy_imports import lazy_getattr as _lazy_getattr

if _TYPE_CHECKING:
    from cxrbench.training import recipe, report, run, sources, supervision
    from cxrbench.training.config import DataConfig, Phase, TrainConfig
    from cxrbench.training.dataset import Images, decode
    from cxrbench.training.loop.batches import Batches
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

__getattr__ = _lazy_getattr(
    __name__,
    {
        "LOSSES": "objective.losses",
        "SAMPLINGS": "objective.sampling",
        "Batches": "loop.batches",
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
    },
    ("recipe", "report", "run", "sources", "supervision"),
)
