"""Shortcuts: does a map show a marker that the model relies on, and not one that it ignores?"""

from typing import Final

import numpy as np

from cxrbench.judge.correlation import pearson
from cxrbench.judge.maps import check_region, defined, share_in_top

__all__ = ["TOP_SHARE", "confounder_sensitivity", "explanation_correlation", "relies_on_marker"]

TOP_SHARE: Final = 0.1  # of the pixels


def confounder_sensitivity(relevance: np.ndarray, marker: np.ndarray, *, share: float = TOP_SHARE) -> float:
    """Share of a marker's pixels among the most relevant tenth of the image; ties by their expected number.

    Args:
        relevance: (H, W), signed.
        marker: (H, W) bool.
        share: of the pixels that count as most relevant, in (0, 1].

    Returns:
        In [0, 1]; NaN without a marker, or for a map that is not finite.

    Reference: Sun et al. 2023, arXiv:2307.12344.
    """
    region = check_region(relevance, marker, "marker")
    if not region.any() or not defined(relevance):
        return float("nan")
    count = max(1, round(share * relevance.size))
    return share_in_top(relevance, region, count) * count / int(region.sum())


def explanation_correlation(
    map_with: np.ndarray, map_without: np.ndarray, *, prediction_flips: bool = True
) -> float:
    """Normalised cross-correlation of the maps with and without a marker: their Pearson correlation.

    Args:
        map_with: (h, w), map of the image with the marker.
        map_without: (h, w), of the same image without it.
        prediction_flips: whether the marker changes the decision; elsewhere the map need not change.

    Returns:
        In [−1, 1]; NaN where the decision stays, or a map is constant.

    Reference: Sun et al. 2023, arXiv:2307.12344.
    """
    return pearson(map_with, map_without) if prediction_flips else float("nan")


def relies_on_marker(logit: float, logit_without: float, *, least: float = 0.1, share: float = 0.05) -> bool:
    """Whether taking a marker away changes a logit noticeably: by 0.1 and by 5 % of its absolute value.

    Args:
        logit: of the image with the marker.
        logit_without: of the same image without it.
        least: smallest change that counts.
        share: of the absolute logit; smallest change that counts.
    """
    return abs(logit - logit_without) >= max(least, share * abs(logit))
