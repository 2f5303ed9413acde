"""The statistics of a trained model's features, measured on the images that it was trained with."""

import copy
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.inference import fit_statistics, pooled_features
from cxrbench.models import Classifier
from cxrbench.models.feature_statistics import FeatureStatistics
from cxrbench.training.dataset import Images

__all__ = ["measure_features"]

_MOST: Final = 1000  # images of a split: more change the distances little, and take longer
_BATCH: Final = 64


def measure_features(
    model: Classifier, training: Images, validation: Images, *, say: Callable[[str], None]
) -> FeatureStatistics | None:
    """Measure a model's features on at most 1,000 images of either split, evenly spread, not augmented.

    Args:
        model: in eval mode.
        training: the images that it was trained with.
        validation: the images that its epoch was chosen by.
        say: called with the reason if there is no result.

    Returns:
        The statistics; None where they cannot be fitted, as on a handful of images.
    """
    try:
        return fit_statistics(
            pooled_features(model, _batches(training)), pooled_features(model, _batches(validation))
        )
    except InputError as error:  # no reason to lose a trained model
        say(f"Films unlike the training films will not be recognised: {error}")
        return None


def _batches(images: Images) -> Iterator[Tensor]:
    plain = copy.copy(images)
    plain.augmentation = None
    readable = np.flatnonzero(~images.targets.isnan().all(dim=1).numpy())
    chosen = readable[np.unique(np.linspace(0, len(readable) - 1, min(_MOST, len(readable))).astype(int))]
    for start in range(0, len(chosen), _BATCH):
        yield torch.stack([plain[int(index)][0] for index in chosen[start : start + _BATCH]])
