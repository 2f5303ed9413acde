"""DeLong's covariance of AUROCs, of one or several models.

It treats images as independent: where patients have several images, its intervals are too narrow.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from cxrbench.errors import InputError
from cxrbench.metrics.checks import check_scores

__all__ = ["DeLong", "delong"]


@dataclass(frozen=True, eq=False)
class DeLong:
    """AUROCs of M models for one finding on the same images, with their covariance.

    Args:
        auroc: (M,).
        covariance: (M, M) of the AUROCs; NaN with fewer than two positives or two negatives.
    """

    auroc: np.ndarray
    covariance: np.ndarray

    def interval(self, model: int = 0, level: float = 0.95) -> tuple[float, float]:
        """Normal confidence interval of the AUROC of one model, clipped to [0, 1]."""
        width = float(ndtri((1 + level) / 2)) * math.sqrt(self.covariance[model, model])
        low, high = self.auroc[model] - width, self.auroc[model] + width
        return max(low, 0.0) if low == low else low, min(high, 1.0) if high == high else high

    def difference(self, first: int = 0, second: int = 1) -> tuple[float, float]:
        """First minus second AUROC and its two-sided p-value; p is 1 where the two models order all alike."""
        gap = float(self.auroc[first] - self.auroc[second])
        c = self.covariance
        variance = float(c[first, first] + c[second, second] - 2 * c[first, second])
        if math.isnan(variance):
            return gap, math.nan
        if variance <= 1e-15:
            return gap, 1.0 if gap == 0 else 0.0
        return gap, float(2 * ndtr(-abs(gap) / math.sqrt(variance)))


def delong(targets: np.ndarray, scores: np.ndarray) -> DeLong:
    """AUROCs with their covariance, in O(M N log N) by mid-ranks.

    With P positives and Q negatives, V₁₀ of a positive is the share of negatives that score lower, V₀₁ of a
    negative the share of positives that score higher; the covariance is cov(V₁₀) ÷ P + cov(V₀₁) ÷ Q.

    Args:
        targets: (N,) of 1, 0 and NaN (ignored).
        scores: (N,) of one model, or (M, N).

    Raises:
        InputError: the shapes differ, other targets, or NaN scores.

    Reference:
        DeLong et al. 1988, doi:10.2307/2531595; Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.
    """
    stacked = np.atleast_2d(scores)
    if np.ndim(targets) != 1 or stacked.ndim != 2:
        raise InputError(
            "DeLong takes targets (N,) and scores (M, N); "
            f"got shapes {np.shape(targets)} and {np.shape(scores)}."
        )
    truth, values = check_scores(np.tile(np.asarray(targets, np.float64)[:, None], len(stacked)), stacked.T)
    models = stacked.shape[0]
    positive, negative = values[truth[:, 0] == 1].T, values[truth[:, 0] == 0].T  # (M, P), (M, Q)
    p, q = positive.shape[1], negative.shape[1]
    if not p or not q:
        return DeLong(np.full(models, np.nan), np.full((models, models), np.nan))
    ranks = _midranks(np.concatenate([positive, negative], axis=1))
    v10 = (ranks[:, :p] - _midranks(positive)) / q  # (M, P)
    v01 = 1 - (ranks[:, p:] - _midranks(negative)) / p  # (M, Q)
    return DeLong(v10.mean(1), _covariance(v10) / p + _covariance(v01) / q)


def _midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 within each row of (M, K); ties get their mean rank."""
    ranks = np.empty(values.shape)
    for row_ranks, row in zip(ranks, values, strict=True):
        _, inverse, counts = np.unique(row, return_inverse=True, return_counts=True)
        row_ranks[:] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def _covariance(values: np.ndarray) -> np.ndarray:
    """Unbiased covariance (M, M) of values (M, K); NaN where K is 1."""
    models, count = values.shape
    if count < 2:
        return np.full((models, models), np.nan)
    centred = values - values.mean(1, keepdims=True)
    covariance: np.ndarray = centred @ centred.T / (count - 1)
    return covariance
