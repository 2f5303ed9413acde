"""From a recipe to weights: configuration, data, losses, the loop, and what came out."""

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
