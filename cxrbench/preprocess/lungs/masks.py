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

# A lung holds at least this share of all that was marked; what is smaller is a spot, not a lung.
_SMALLEST: Final = 0.1
# Hands draw a little outside the lung's edge, and leave the spine free: shares of the chest's width, the
# distance from the midline at the apices and at the bases.
_OUTSIDE: Final = 0.01
_SPINE: Final = (0.05, 0.08)


def components(mask: np.ndarray) -> list[np.ndarray]:
    """The connected parts of a mask (H, W), largest first; pixels touch by their sides, not corners."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8), connectivity=4)
    sizes = statistics[1:, cv2.CC_STAT_AREA]  # without the background's
    return [labels == 1 + index for index in np.argsort(-sizes, kind="stable")]


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """The mask (H, W) with everything that cannot be reached from the film's edge without crossing it."""
    framed = np.pad(np.asarray(mask, bool), 1)
    _, labels = cv2.connectedComponents((~framed).astype(np.uint8), connectivity=4)
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def drop_small(mask: np.ndarray, keep: int = 2) -> np.ndarray:
    """The mask (H, W) with its largest parts only, where it has more of them than a chest has lungs."""
    parts = components(mask)
    if len(parts) <= keep:
        return np.asarray(mask, bool)
    return np.logical_or.reduce(parts[:keep])


def split_touching(mask: np.ndarray) -> np.ndarray:
    """The mask (H, W), cut in two where one part holds both lungs.

    The part is worn away from its edge inwards until it falls into two, each at least a fifth of it. Every
    pixel goes to the half it is nearest to, and the seam, one pixel wide, is taken out. A part that wears
    away without falling apart is one lung, and stays.
    """
    parts = components(mask)
    if not parts or (len(parts) > 1 and parts[1].sum() >= 0.25 * parts[0].sum()):
        return np.asarray(mask, bool)
    whole = parts[0]
    depth = ndimage.distance_transform_edt(np.pad(whole, 1))[1:-1, 1:-1]  # the film's edge is an edge, too
    for level in np.linspace(0.5, depth.max() * 0.6, 24):
        halves = components(depth > level)[:2]
        if len(halves) == 2 and halves[1].sum() >= 0.2 * (halves[0].sum() + halves[1].sum()):
            near = ndimage.distance_transform_edt(~halves[0]) <= ndimage.distance_transform_edt(~halves[1])
            seam = near & ~ndimage.binary_erosion(near, border_value=1)
            return np.asarray(mask & ~(whole & seam))
    return np.asarray(mask, bool)


def clean(mask: np.ndarray) -> np.ndarray:
    """Spots dropped, holes filled, touching lungs parted: (H, W), a part for every lung the film shows."""
    parts = components(mask)
    if not parts:
        return np.asarray(mask, bool)
    total = sum(int(part.sum()) for part in parts)
    kept = [part for part in parts[:2] if part.sum() >= _SMALLEST * total]
    return split_touching(fill_holes(np.logical_or.reduce(kept)))


def as_drawn(mask: np.ndarray) -> np.ndarray:
    """The mask (H, W) of two lungs as hands draw them: a little larger, and nowhere over the spine.

    The network follows phantoms, whose mask comes nearer to the midline than a hand does. The midline is the
    straight line that runs best between the two parts. A mask without two parts stays as it is.
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
    """The mask (H, W) with what lies under it, down to the film's lower border.

    Lung goes on behind the dome of the diaphragm, and fluid gathers there; Liz et al. add this area.
    """
    return np.asarray(np.logical_or.accumulate(mask, axis=0))
