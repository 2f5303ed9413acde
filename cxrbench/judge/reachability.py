"""Reachability: the best value that a map on a coarse grid could have got.

A cell of a 7 × 7 map is wider than a small nodule: no map on that grid can score well there.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from cxrbench.judge.maps import enlarged

__all__ = ["candidate_maps", "reachable", "reachable_hit", "reachable_pixels"]

# Of the cover of a cell by the mask, for candidates of the best map.
_POWERS: Final = (0.25, 0.5, 1, 2)
_LEVELS: Final = (0.2, 0.4, 0.6, 0.8)


def reachable(
    criterion: Callable[[np.ndarray, np.ndarray], float], mask: np.ndarray, grid: tuple[int, int]
) -> float:
    """The best value of a criterion over candidate maps of a grid.

    For the relevance mass it is the largest value of any map without negative values. For others it is
    the best value found: another map may be slightly better.

    Args:
        criterion: (relevance (H, W), mask (H, W)) → value, higher is better.
        mask: (H, W) bool.
        grid: (h, w) of the map.

    Returns:
        The largest value; NaN if the criterion is undefined for all candidates.
    """
    region = np.asarray(mask, bool)
    if not region.any():
        return float("nan")
    height, width = region.shape
    values = [
        criterion(enlarged(candidate, (height, width)), region) for candidate in candidate_maps(region, grid)
    ]
    known = [value for value in values if not np.isnan(value)]
    return max(known, default=float("nan"))


def candidate_maps(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Maps (n, h, w) without negative values that point at a mask as well as their grid allows.

    The mask's cover of each cell, raised to several powers and cut at several levels, as thresholds differ in
    how wide a peak they reward; the least-squares approximation of the mask by an enlarged map; the single
    cell whose enlargement has the largest share in the mask. No other map's share exceeds that of the last.

    Args:
        mask: (H, W) bool, not empty.
        grid: (h, w).
    """
    wanted = mask.astype(np.float64)
    if grid == mask.shape:  # nothing is coarser than the mask itself
        return wanted[None]
    (rows, inverse_rows), (columns, inverse_columns) = (
        _interpolation(*sides) for sides in zip(grid, mask.shape, strict=True)
    )
    inside = rows.T @ wanted @ columns  # (h, w): Σ over the mask of each cell's enlargement
    share = inside / np.outer(rows.sum(0), columns.sum(0)).clip(min=1e-12)
    single = np.zeros(grid)
    single.flat[int(share.argmax())] = 1
    fitted = inverse_rows @ wanted @ inverse_columns.T
    powers = [share**power for power in _POWERS]
    flat = [(share > level * share.max()).astype(np.float64) for level in _LEVELS]
    return np.stack([*powers, *flat, fitted.clip(min=0), single])


def reachable_pixels(cells: int, pixels: int) -> np.ndarray:
    """Rows (or columns) in which the first largest pixel of an enlarged map can lie, ascending.

    Between two cells an enlarged map is linear, so its largest pixel is next to the centre of a cell.
    Before the first centre it is constant, and the first pixel counts.

    Args:
        cells: of the map, along one side.
        pixels: of the image, along that side.
    """
    if cells >= pixels:
        return np.arange(pixels)
    centres = (np.arange(cells) + 0.5) * pixels / cells - 0.5
    places = np.stack([np.floor(centres), np.ceil(centres)])
    places[:, 0] = 0
    return np.unique(places.astype(int).clip(0, pixels - 1))


def reachable_hit(mask: np.ndarray, grid: tuple[int, int], *, tolerance: float = 0) -> float:
    """Whether any map of a grid (h, w) could hit the mask (H, W): 1 or 0; NaN if the mask is empty.

    Args:
        mask: (H, W) bool.
        grid: (h, w) of the map.
        tolerance: in pixels, as in ``localisation.hit``.
    """
    region = np.asarray(mask, bool)
    if not region.any():
        return float("nan")
    rows, columns = (reachable_pixels(*sides) for sides in zip(grid, region.shape, strict=True))
    if tolerance <= 0 or region[np.ix_(rows, columns)].any():
        return float(region[np.ix_(rows, columns)].any())
    places = np.argwhere(region)
    # Per pixel of the mask, the nearest reachable pixel; rows and columns are independent of each other.
    near = [
        np.abs(places[:, axis, None] - np.asarray(lines)).min(1) for axis, lines in enumerate((rows, columns))
    ]
    return float((near[0] ** 2 + near[1] ** 2).min() <= tolerance**2)


@lru_cache(maxsize=16)
def _interpolation(cells: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix (pixels, cells) that enlarges one side, and its pseudo-inverse; not to be changed."""
    matrix = enlarged(np.eye(cells)[:, :, None], (pixels, 1))[:, :, 0].T
    return matrix, np.linalg.pinv(matrix)
