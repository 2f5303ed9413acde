"""Localisation: whether a map's relevance lies where the finding is. Masks needed, no model."""

from typing import Final

import numpy as np

from cxrbench.errors import InputError
from cxrbench.judge.maps import check_region, defined, positive_part, share_in_top

__all__ = ["HIT_TOLERANCE", "hit", "points_hit", "rank_accuracy", "relevance_mass"]

HIT_TOLERANCE: Final = 15.0  # pixels, of the pointing game with tolerance

_NAN: Final = float("nan")


def hit(relevance: np.ndarray, mask: np.ndarray, *, tolerance: float = 0) -> float:
    """Pointing game: whether the most relevant pixel lies in the mask.

    It is the first such pixel, row by row. The mean over images is the hit rate.

    Args:
        relevance: (H, W), signed, enlarged to the size of the mask.
        mask: (H, W) bool.
        tolerance: in pixels of the mask; how far outside it the pixel may lie. 15 in the pointing game
            of Zhang et al., 0 in CheXlocalize.

    Returns:
        1 or 0; NaN if the mask is empty or the map is not finite.

    Reference: Zhang et al. 2018, arXiv:1608.00507; Saporta et al. 2022, doi:10.1038/s42256-022-00536-x.
    """
    region = check_region(relevance, mask)
    if not region.any() or not defined(relevance):
        return _NAN
    row, column = divmod(int(np.argmax(relevance)), relevance.shape[1])
    if tolerance <= 0 or region[row, column]:
        return float(region[row, column])
    rows, columns = np.nonzero(region)
    return float(((rows - row) ** 2 + (columns - column) ** 2).min() <= tolerance**2)


def points_hit(points: np.ndarray, mask: np.ndarray) -> float:
    """Whether any of a reader's points lies in the mask, as CheXlocalize scores its radiologists.

    Args:
        points: (P, 2) x and y in pixels of the mask; fractions are cut off.
        mask: (H, W) bool.

    Returns:
        1 or 0, also without points; NaN if the mask is empty.

    Raises:
        InputError: a point outside the image.

    Reference: Saporta et al. 2022, doi:10.1038/s42256-022-00536-x.
    """
    region = np.asarray(mask, bool)
    if not region.any():
        return _NAN
    columns, rows = np.asarray(points, np.float64).reshape(-1, 2).astype(int).T
    height, width = region.shape
    if not ((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)).all():
        raise InputError(
            f"Points must be (x, y) within the image, {width} by {height} pixels; got {points!r:.80}."
        )
    return float(region[rows, columns].any())


def relevance_mass(relevance: np.ndarray, mask: np.ndarray) -> float:
    """Share of the positive relevance that lies in a region: Σ_S a⁺ / Σ a⁺.

    Args:
        relevance: (H, W); negative values count as 0, since signed sums would leave [0, 1].
        mask: (H, W) bool: of the finding, or of the lungs.

    Returns:
        In [0, 1]; NaN if the region is empty, the map is not finite, or nothing in it is positive.

    Reference: Arras et al. 2022, arXiv:2003.07258.
    """
    region = check_region(relevance, mask)
    if not region.any() or not defined(relevance):
        return _NAN
    positive = positive_part(relevance).astype(np.float64)
    total = positive.sum()
    return float(positive[region].sum() / total) if total > 0 else _NAN


def rank_accuracy(relevance: np.ndarray, mask: np.ndarray) -> float:
    """Share of the |S| most relevant pixels that lie in the mask S; ties count by their expected number.

    Args:
        relevance: (H, W), signed.
        mask: (H, W) bool.

    Returns:
        In [0, 1]; NaN if the mask is empty or the map is not finite.

    Reference: Arras et al. 2022, arXiv:2003.07258.
    """
    region = check_region(relevance, mask)
    if not region.any() or not defined(relevance):
        return _NAN
    return share_in_top(relevance, region, int(region.sum()))
