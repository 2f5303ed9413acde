"""Contrast: percentile window, histogram equalisation, CLAHE."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

__all__ = ["CONTRASTS", "Contrast", "clahe", "equalise", "window"]

# 16 steps between two greys of 8 bits, which fall on steps themselves; a table that fits a core's cache.
_LEVELS: Final = 16 * 255 + 1


def window(image: np.ndarray, percent: float) -> np.ndarray:
    """Stretch between two percentiles: y = clip((x − q) / (q′ − q), 0, 1).

    q and q′ are the grey values below which ``percent`` and 100 − ``percent`` of the pixels lie. A bright
    letter or a black border then no longer decides how the rest is seen.

    Args:
        image: (H, W) float in [0, 1].
        percent: cut off at either end, from 0 (stretch between darkest and brightest) to below 50.

    Returns:
        (H, W) float32 in [0, 1]; the image as it was where both percentiles are one grey.
    """
    counts = np.bincount(_levels(image).ravel(), minlength=_LEVELS)
    below = np.cumsum(counts) / image.size
    low = int(np.searchsorted(below, percent / 100, side="right"))
    high = int(np.searchsorted(below, 1 - percent / 100, side="left"))
    if high <= low:
        return image.astype(np.float32)
    start, span = low / (_LEVELS - 1), (high - low) / (_LEVELS - 1)
    return np.clip((image - np.float32(start)) / np.float32(span), 0, 1).astype(np.float32, copy=False)


def equalise(image: np.ndarray) -> np.ndarray:
    """Histogram equalisation: y = (F(x) − F₀) / (1 − F₀), F the share of pixels not brighter than x.

    F₀ is that of the darkest grey, so that it stays black. Every grey becomes about equally common.

    Args:
        image: (H, W) float in [0, 1].

    Returns:
        (H, W) float32 in [0, 1]; the image as it was where it has one grey only.
    """
    levels = _levels(image)
    share = np.cumsum(np.bincount(levels.ravel(), minlength=_LEVELS)) / image.size
    darkest = share[levels.min()]
    if darkest == 1:
        return image.astype(np.float32)
    table = np.clip((share - darkest) / (1 - darkest), 0, 1).astype(np.float32)
    return table[levels]


def clahe(image: np.ndarray, clip: float, tiles: int) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation: equalise each tile, blend between the tiles.

    Each tile's histogram is cut off at ``clip`` times its mean height before it is summed, so that flat
    regions (air, the noise in it) are not torn open. Computed in 8 bits, as its histograms have 256 bins.

    Args:
        image: (H, W) float in [0, 1].
        clip: at least 1; the higher, the stronger.
        tiles: a side.

    Returns:
        (H, W) float32 in [0, 1].

    Reference:
        Zuiderveld 1994, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 474-485.
    """
    levels = np.rint(image * 255).astype(np.uint8)
    # Made anew each time: OpenCV's object keeps buffers, and threads must not share them.
    spread = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(levels)
    return spread.astype(np.float32) / np.float32(255)


@dataclass(frozen=True)
class Contrast:
    """One way to spread the greys.

    Args:
        name: its key in `CONTRASTS`.
        title: for menus.
        apply: (image, clip, tiles) → image.
        summary: what it does, and what it costs.
    """

    name: str
    title: str
    apply: Callable[[np.ndarray, float, int], np.ndarray]
    summary: str


CONTRASTS: Final[dict[str, Contrast]] = {
    record.name: record
    for record in (
        Contrast("none", "As it is", lambda image, clip, tiles: image, "The film's own greys."),
        Contrast(
            "equalise",
            "Histogram equalisation",
            lambda image, clip, tiles: equalise(image),
            "Every grey becomes equally common in the whole film. Large dark borders push the rest together.",
        ),
        Contrast(
            "clahe",
            "CLAHE",
            clahe,
            "Equalised tile by tile, with a limit: faint structure stands out in dark and bright regions "
            "alike, and so does noise. How bright one region is beside another says less afterwards.",
        ),
    )
}


def _levels(image: np.ndarray) -> np.ndarray:
    return np.rint(image * (_LEVELS - 1)).astype(np.uint16)
