"""How concentrated a map is: sparseness and complexity. They say nothing of whether it is right."""

import numpy as np

from cxrbench.judge.maps import defined

__all__ = ["complexity", "sparseness"]


def sparseness(relevance: np.ndarray) -> float:
    """Gini index of the absolute relevance: 0 if all pixels are equal, 1 − 1/n if one of n has everything.

    Args:
        relevance: any shape. Enlarging a map makes it smoother: compare maps of one size.

    Returns:
        In [0, 1); NaN for a zero map.

    Reference: Chalasani et al. 2020, arXiv:1810.06583.
    """
    shares = _shares(relevance)
    if shares is None:
        return float("nan")
    ranks = np.arange(1, shares.size + 1)
    return float(((2 * ranks - shares.size - 1) * np.sort(shares)).sum() / shares.size)


def complexity(relevance: np.ndarray) -> float:
    """Entropy of the absolute relevance as a distribution over pixels, in nats.

    Args:
        relevance: any shape.

    Returns:
        From 0, one pixel has everything, to ln n, all n pixels are equal; NaN for a zero map.

    Reference: Bhatt et al. 2020, arXiv:2005.00631.
    """
    shares = _shares(relevance)
    if shares is None:
        return float("nan")
    known = shares[shares > 0]
    return float(-(known * np.log(known)).sum()) + 0.0


def _shares(relevance: np.ndarray) -> np.ndarray | None:
    size = np.abs(np.asarray(relevance, np.float64)).ravel()
    total = size.sum()
    if not defined(size) or total <= 0:
        return None
    shares: np.ndarray = size / total
    return shares
