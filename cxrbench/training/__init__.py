"""From a recipe to weights: configuration, data, losses, the loop, and what came out."""

from cxrbench.training.config import DataConfig, Phase, TrainConfig
from cxrbench.training.dataset import Batches, Images, decode
from cxrbench.training.evaluation import evaluate, scores_of, youden
from cxrbench.training.loop import Engine
from cxrbench.training.losses import masked_bce, positive_weights
from cxrbench.training.progress import Position

__all__ = [
    "Batches",
    "DataConfig",
    "Engine",
    "Images",
    "Phase",
    "Position",
    "TrainConfig",
    "decode",
    "evaluate",
    "masked_bce",
    "positive_weights",
    "scores_of",
    "youden",
]
