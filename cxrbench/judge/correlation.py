"""Correlations of two arrays, NaN where one of them is constant."""

import numpy as np
from scipy.stats import rankdata

__all__ = ["pearson", "spearman"]


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson correlation over all elements; NaN if an array is constant, not finite, or has less than two.

    Args:
        first: any shape.
        second: the same number of elements.
    """
    x, y = (np.asarray(each, np.float64).ravel() for each in (first, second))
    if x.size < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return float("nan")
    # Compared before subtracting the mean, which is rounded.
    if x.min() == x.max() or y.min() == y.max():
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    value = float((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)))
    return max(-1.0, min(1.0, value))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation over all elements; ties share their mean rank. NaN as in ``pearson``."""
    x, y = (np.asarray(each, np.float64).ravel() for each in (first, second))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return float("nan")
    return pearson(rankdata(x), rankdata(y))
