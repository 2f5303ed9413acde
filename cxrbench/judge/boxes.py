"""Localisation by boxes, as on NIH's: boxes around the warm regions of a map, and their overlap."""

from typing import Final, NamedTuple

import cv2
import numpy as np

from cxrbench.errors import InputError
from cxrbench.judge.maps import defined
from cxrbench.judge.segmentation import min_max

__all__ = [
    "BOX_LEVELS",
    "BOX_THRESHOLDS",
    "BoxOverlaps",
    "box_mask",
    "box_overlaps",
    "boxes_of_map",
    "localised",
]

BOX_LEVELS: Final = (60, 180)  # of 255: one set of boxes for each
BOX_THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # T, of the overlap


class BoxOverlaps(NamedTuple):
    """The best overlap of each true box with any of the predicted ones.

    Attributes:
        iou: (T,) intersection over union.
        iobb: (T,) intersection over the area of the predicted box.
    """

    iou: np.ndarray
    iobb: np.ndarray


def boxes_of_map(relevance: np.ndarray, levels: tuple[int, ...] = BOX_LEVELS) -> np.ndarray:
    """Boxes around the connected regions of a map above each of several levels.

    Args:
        relevance: (H, W); scaled to 0 … 255 by its minimum and maximum.
        levels: pixels above a level form regions, connected through edges and corners.

    Returns:
        (P, 4) left, top, right, bottom in pixels, right and bottom exclusive; none for a constant map, or one
        that is not finite.

    Reference: Wang et al. 2017, arXiv:1705.02315, section 4.2.
    """
    found: list[np.ndarray] = []
    if defined(relevance):
        scaled = 255 * min_max(relevance)
        for level in levels:
            regions = (scaled > level).astype(np.uint8)
            _, _, statistics, _ = cv2.connectedComponentsWithStats(regions, connectivity=8)
            left, top, width, height = statistics[1:, :4].T  # the first is the background
            found.append(np.stack([left, top, left + width, top + height], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 4), int)


def box_overlaps(predicted: np.ndarray, truth: np.ndarray) -> BoxOverlaps:
    """The best IoU and IoBB of each true box over all predicted boxes; 0 if none was predicted.

    Args:
        predicted: (P, 4) left, top, right, bottom in pixels, right and bottom exclusive.
        truth: (T, 4), likewise.

    Raises:
        InputError: a true box without area.

    Reference: Wang et al. 2017, arXiv:1705.02315, section 4.2.
    """
    boxes, true = (np.asarray(each, np.float64).reshape(-1, 4) for each in (predicted, truth))
    if (_areas(true) <= 0).any():
        raise InputError("Boxes must be (left, top, right, bottom) with right > left and bottom > top.")
    low = np.maximum(true[:, None, :2], boxes[None, :, :2])
    high = np.minimum(true[:, None, 2:], boxes[None, :, 2:])
    common = (high - low).clip(min=0).prod(2)  # (T, P)
    areas = _areas(boxes)[None]
    union = _areas(true)[:, None] + areas - common
    return BoxOverlaps((common / union).max(1, initial=0), (common / areas).max(1, initial=0))


def localised(overlaps: np.ndarray, thresholds: tuple[float, ...] = BOX_THRESHOLDS) -> np.ndarray:
    """Share of true boxes whose overlap (T,) exceeds each threshold, (thresholds,); NaN without boxes."""
    values = np.asarray(overlaps, np.float64)
    if not values.size:
        return np.full(len(thresholds), np.nan)
    share: np.ndarray = (values[:, None] > np.asarray(thresholds)).mean(0)
    return share


def box_mask(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The union of boxes (T, 4) as a mask (H, W); coordinates are rounded outwards."""
    mask = np.zeros(size, bool)
    for left, top, right, bottom in np.asarray(boxes, np.float64).reshape(-1, 4):
        rows = slice(max(0, int(np.floor(top))), max(0, int(np.ceil(bottom))))
        mask[rows, max(0, int(np.floor(left))) : max(0, int(np.ceil(right)))] = True
    return mask


def _areas(boxes: np.ndarray) -> np.ndarray:
    area: np.ndarray = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area
