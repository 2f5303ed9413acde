"""How far a film is from those that a model was trained on: the distance of its features from theirs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from cxrbench.errors import InputError
from cxrbench.models.feature_statistics import FeatureStatistics

if TYPE_CHECKING:
    from torch import Tensor

    from cxrbench.models import Classifier, Features

__all__ = ["LIMIT", "fit_statistics", "pool", "pooled_features", "relative_distances"]

LIMIT: Final = 1.0  # relative distance above which a film is unlike the training films

_WITHIN: Final = 0.95  # of the validation films are no further than the limit


def relative_distances(model: "Classifier", pooled: np.ndarray) -> np.ndarray:
    """Distance of films from a model's training films, divided by the limit of its validation films.

    Above 1 the film is further from the training films than 95 % of the validation films are. It says
    nothing of the scores of a film below 1.

    Args:
        model: any classifier.
        pooled: (B, D) features, as ``pool`` returns them.

    Returns:
        (B,) float64; NaN for a model whose training films were not measured.
    """
    statistics = model.feature_statistics
    if statistics is None:
        return np.full(len(pooled), np.nan)
    distances: np.ndarray = statistics.distances(pooled) / statistics.limit
    return distances


def pool(stages: "Iterable[Features]") -> "tuple[Features, np.ndarray]":
    """Those of the last stage, and the mean of each channel of every stage.

    Earlier stages are included since they see how a film looks; the last sees little more than findings.

    Args:
        stages: the features after each stage, as ``Classifier.all_features`` yields them.

    Returns:
        The last features, and (B, D) float64: the mean of each channel of every stage over its feature map.
    """
    means = []
    for features in stages:
        means.append(features.pooled().double().cpu().numpy())
    return features, np.concatenate(means, axis=1)


def pooled_features(model: "Classifier", batches: "Iterable[Tensor]") -> np.ndarray:
    """Features of many images, as ``pool`` returns them.

    Args:
        model: in eval mode.
        batches: of preprocessed images (B, C, H, W).

    Returns:
        (N, D) float64.

    Raises:
        InputError: no batch, or the model is in train mode or of 16 bits (``check_inference``).
    """
    import torch

    from cxrbench.models.classifier import check_inference

    check_inference(model, model.spec.name)
    parameter = next(model.parameters())
    rows = []
    for images in batches:
        with torch.no_grad():
            rows.append(pool(model.all_features(images.to(parameter.device, parameter.dtype)))[1])
    if not rows:
        raise InputError("Features need at least one image; got none.")
    return np.concatenate(rows)


def fit_statistics(training: np.ndarray, validation: np.ndarray, *, rank: int = 100) -> FeatureStatistics:
    """Fit the statistics of a model's features: on training films, their limit on validation films.

    The covariance is that of Ledoit and Wolf, Σ = (1 − s) S + s m · 1 with the empirical covariance S, its
    mean variance m, and the shrinkage s that minimises the expected squared error: there are about as few
    films as features. Of its eigenvectors the ``rank`` of largest variance are kept, which a small file
    holds; along all others the mean of their variances is assumed.

    Args:
        training: (N, D) features of training films (``pooled_features``).
        validation: (M, D) features of validation films, which no training has seen.
        rank: R, number of directions with a variance of their own; fewer where D or N allow no more.

    Returns:
        The statistics; their limit is the distance that 95 % of the validation films do not exceed.

    Raises:
        InputError: fewer than two training films, no validation film, or features that do not vary.

    Reference: Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.
    """
    from sklearn.covariance import ledoit_wolf  # here: its import takes a second

    if len(training) < 2 or not len(validation) or training.shape[1:] != validation.shape[1:]:
        raise InputError(
            "Feature statistics need at least two training films and one validation film with as many "
            f"features each; got arrays of shape {training.shape} and {validation.shape}."
        )
    training = np.asarray(training, np.float64)
    covariance, _ = ledoit_wolf(training)
    variances, directions = np.linalg.eigh(covariance)  # in ascending order
    kept = max(1, min(rank, len(training) - 1, len(variances) - 1))
    if variances[-kept] <= 0:
        raise InputError("Feature statistics need features that vary; those of all training films are equal.")
    rest = float(variances[:-kept].mean()) if kept < len(variances) else float(variances[0])
    mean = training.mean(axis=0)
    # Rounded as they are stored, so that the limit belongs to the stored directions.
    rounded = directions[:, -kept:].astype(np.float16).astype(np.float64)
    unlimited = FeatureStatistics(mean, rounded, variances[-kept:], rest, 1.0, len(training))
    limit = float(np.quantile(unlimited.distances(validation), _WITHIN, method="higher"))
    return FeatureStatistics(mean, rounded, variances[-kept:], rest, limit, len(training))
