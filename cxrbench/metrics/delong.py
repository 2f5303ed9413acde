"""DeLong's covariance of AUROCs, of one or several models.

It knows images, not patients: where patients have several images its intervals are too narrow.
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
    """AUROCs of M models for one finding, on the same images.

    Args:
        auroc: (M,).
        covariance: (M, M) of the AUROCs; NaN with fewer than two positives or two negatives.
    """

    auroc: np.ndarray
    covariance: np.ndarray

    def interval(self, model: int = 0, level: float = 0.95) -> tuple[float, float]:
        """Normal interval of one model's AUROC, cut off at 0 and 1."""
        width = float(ndtri((1 + level) / 2)) * math.sqrt(self.covariance[model, model])
        low, high = self.auroc[model] - width, self.auroc[model] + width
        return max(low, 0.0) if low == low else low, min(high, 1.0) if high == high else high

    def difference(self, first: int = 0, second: int = 1) -> tuple[float, float]:
        """First minus second AUROC, and the two-sided p-value of it being 0; 1 where the two never differ."""
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

    With P positives and Q negatives, V₁₀ of a positive is the share of negatives it beats, V₀₁ of a negative
    the share of positives that beat it; the covariance is cov(V₁₀) ÷ P + cov(V₀₁) ÷ Q.

    Args:
        targets: (N,) of 1, 0, and NaN for what is left out.
        scores: (N,) of one model, or (M, N).

    Raises:
        InputError: shapes that differ, other targets, or NaN scores.

    Reference:
        DeLong et al. 1988, doi:10.2307/2531595; Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.
    """
    stacked = np.atleast_2d(scores)
    if np.ndim(targets) != 1 or stacked.ndim != 2:
        raise InputError(f"DeLong takes targets (N,) and scores (M, N); got {np.shape(targets)}.")
    truth, values = check_scores(np.tile(np.asarray(targets, np.float64)[:, None], len(stacked)), stacked.T)
    models = stacked.shape[0]
    positive, negative = values[truth[:, 0] == 1].T, values[truth[:, 0] == 0].T  # (M, P), (M, Q)
    p, q = positive.shape[1], negative.shape[1]
    if not p or not q:
        return DeLong(np.full(models, np.nan), np.full((models, models), np.nan))
    together = _midranks(np.concatenate([positive, negative], axis=1))
    beaten = (together[:, :p] - _midranks(positive)) / q  # V₁₀ (M, P)
    beating = 1 - (together[:, p:] - _midranks(negative)) / p  # V₀₁ (M, Q)
    return DeLong(beaten.mean(1), _covariance(beaten) / p + _covariance(beating) / q)


def _midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 within each row of (M, K); of a tie its mean."""
    ranks = np.empty(values.shape)
    for row, one in zip(ranks, values, strict=True):
        _, of, times = np.unique(one, return_inverse=True, return_counts=True)
        row[:] = (np.cumsum(times) - (times - 1) / 2)[of]
    return ranks


def _covariance(values: np.ndarray) -> np.ndarray:
    """(M, M) of values (M, K), with K − 1; NaN where K is 1."""
    models, count = values.shape
    if count < 2:
        return np.full((models, models), np.nan)
    away = values - values.mean(1, keepdims=True)
    return away @ away.T / (count - 1)
