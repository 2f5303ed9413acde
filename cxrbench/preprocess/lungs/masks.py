"""Post-processing of lung masks (Liz et al. 2022, arXiv:2207.14408): pure functions."""

from typing import Final

import cv2
import numpy as np
from scipy import ndimage

__all__ = [
    "as_drawn",
    "clean",
    "components",
    "drop_small",
    "fill_holes",
    "split_touching",
    "under_lungs",
]

# Minimum area of a lung, as a share of the mask; smaller components are dropped.
_SMALLEST: Final = 0.1
# Manual masks extend a little beyond the lung's edge and exclude the spine: shares of the chest's width; the
# distance from the midline is given at the apices and at the bases.
_OUTSIDE: Final = 0.01
_SPINE: Final = (0.05, 0.08)


def components(mask: np.ndarray) -> list[np.ndarray]:
    """Connected components of a mask (H, W), largest first, with 4-connectivity."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8), connectivity=4)
    sizes = statistics[1:, cv2.CC_STAT_AREA]  # without the background's
    return [labels == 1 + index for index in np.argsort(-sizes, kind="stable")]


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask (H, W): pixels that are not connected to the border of the film."""
    framed = np.pad(np.asarray(mask, bool), 1)
    _, labels = cv2.connectedComponents((~framed).astype(np.uint8), connectivity=4)
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def drop_small(mask: np.ndarray, keep: int = 2) -> np.ndarray:
    """Keep the ``keep`` largest components of a mask (H, W)."""
    parts = components(mask)
    if len(parts) <= keep:
        return np.asarray(mask, bool)
    return np.asarray(np.logical_or.reduce(parts[:keep]))


def split_touching(mask: np.ndarray) -> np.ndarray:
    """Split a mask (H, W) in two where one component contains both lungs.

    The component is eroded until it falls into two parts, each at least a fifth of it. Every pixel is
    assigned to the nearest part, and a seam one pixel wide is removed. A component that does not fall apart
    is one lung and stays.
    """
    parts = components(mask)
    if not parts or (len(parts) > 1 and parts[1].sum() >= 0.25 * parts[0].sum()):
        return np.asarray(mask, bool)
    whole = parts[0]
    depth = ndimage.distance_transform_edt(np.pad(whole, 1))[
        1:-1, 1:-1
    ]  # the border of the film counts as an edge
    for level in np.linspace(0.5, depth.max() * 0.6, 24):
        halves = components(depth > level)[:2]
        if len(halves) == 2 and halves[1].sum() >= 0.2 * (halves[0].sum() + halves[1].sum()):
            near = ndimage.distance_transform_edt(~halves[0]) <= ndimage.distance_transform_edt(~halves[1])
            seam = near & ~ndimage.binary_erosion(near, border_value=1)
            return np.asarray(mask & ~(whole & seam))
    return np.asarray(mask, bool)


def clean(mask: np.ndarray) -> np.ndarray:
    """Clean a mask (H, W): drop small components, fill holes, split touching lungs."""
    parts = components(mask)
    if not parts:
        return np.asarray(mask, bool)
    total = sum(int(part.sum()) for part in parts)
    kept = [part for part in parts[:2] if part.sum() >= _SMALLEST * total]
    return split_touching(fill_holes(np.logical_or.reduce(kept)))


def as_drawn(mask: np.ndarray) -> np.ndarray:
    """Adapt a mask (H, W) of two lungs to manual annotations: a little larger, without the spine.

    The network is trained on phantoms, whose masks reach nearer to the midline than manual ones. The midline
    is a straight line fitted between the two components. A mask without two components is unchanged.
    """
    parts = sorted(components(mask)[:2], key=lambda part: float(np.nonzero(part)[1].mean()))
    if len(parts) < 2:
        return np.asarray(mask, bool)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    width = int(columns[-1]) - int(columns[0]) + 1
    both = np.flatnonzero(parts[0].any(axis=1) & parts[1].any(axis=1))
    if len(both) < 2:
        return np.asarray(mask, bool)
    last = mask.shape[1] - 1 - np.argmax(parts[0][both, ::-1], axis=1)
    middle = np.polyfit(both, (last + np.argmax(parts[1][both], axis=1)) / 2, 1)
    radius = round(_OUTSIDE * width)
    ball = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown = cv2.dilate(mask.astype(np.uint8), ball).astype(bool)
    row, column = np.arange(mask.shape[0])[:, None], np.arange(mask.shape[1])[None]
    free = width * np.interp(row, (rows[0], rows[-1]), _SPINE)
    return np.asarray(grown & (np.abs(column - np.polyval(middle, row)) > free))


def under_lungs(mask: np.ndarray) -> np.ndarray:
    """Extend a mask (H, W) down to the lower border of the film.

    The lungs continue behind the domes of the diaphragm, where fluid collects; Liz et al. add this area.
    """
    return np.asarray(np.logical_or.accumulate(mask, axis=0))
