"""Contrast: percentile window, histogram equalisation, CLAHE."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

__all__ = ["CONTRASTS", "Contrast", "clahe", "equalise", "window"]

# 16 steps between two 8-bit grey values, which coincide with steps; the table fits into a core's cache.
_LEVELS: Final = 16 * 255 + 1


def window(image: np.ndarray, percent: float) -> np.ndarray:
    """Percentile window: y = clip((x − q) / (q′ − q), 0, 1).

    q and q′ are the ``percent`` and 100 − ``percent`` percentiles of the pixels, so that a bright letter or a
    black border does not determine the contrast of the rest.

    Args:
        image: (H, W) float in [0, 1].
        percent: clipped at either end, from 0 (darkest to brightest) to below 50.

    Returns:
        (H, W) float32 in [0, 1]; the unchanged image where both percentiles are equal.
    """
    counts = np.bincount(_levels(image).ravel(), minlength=_LEVELS)
    below = np.cumsum(counts) / image.size
    low = int(np.searchsorted(below, percent / 100, side="right"))
    high = int(np.searchsorted(below, 1 - percent / 100, side="left"))
    if high <= low:
        return image.astype(np.float32)
    start, span = low / (_LEVELS - 1), (high - low) / (_LEVELS - 1)
    stretched: np.ndarray = np.clip((image - np.float32(start)) / np.float32(span), 0, 1)
    return stretched.astype(np.float32, copy=False)


def equalise(image: np.ndarray) -> np.ndarray:
    """Histogram equalisation: y = (F(x) − F₀) / (1 − F₀), F the share of pixels not brighter than x.

    F₀ is F of the darkest grey, which thus becomes black. All greys become about equally frequent.

    Args:
        image: (H, W) float in [0, 1].

    Returns:
        (H, W) float32 in [0, 1]; the unchanged image where it is constant.
    """
    levels = _levels(image)
    share = np.cumsum(np.bincount(levels.ravel(), minlength=_LEVELS)) / image.size
    darkest = share[levels.min()]
    if darkest == 1:
        return image.astype(np.float32)
    table = np.clip((share - darkest) / (1 - darkest), 0, 1).astype(np.float32)
    return np.asarray(table[levels])


def clahe(image: np.ndarray, clip: float, tiles: int) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation: equalise each tile, interpolate between tiles.

    The histogram of each tile is clipped at ``clip`` times its mean height before it is summed, which limits
    the amplification of noise in flat regions (air). Computed in 8 bits: the histograms have 256 bins.

    Args:
        image: (H, W) float in [0, 1].
        clip: at least 1; higher is stronger.
        tiles: number of tiles per side.

    Returns:
        (H, W) float32 in [0, 1].

    Reference:
        Zuiderveld 1994, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 474-485.
    """
    levels = np.rint(image * 255).astype(np.uint8)
    # Created per call: OpenCV's object keeps buffers that threads must not share.
    equalised = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(levels)
    return np.asarray(equalised.astype(np.float32) / np.float32(255))


@dataclass(frozen=True)
class Contrast:
    """A contrast transform.

    Args:
        name: its key in `CONTRASTS`.
        title: for menus.
        apply: (image, clip, tiles) → image.
        summary: its effect and its drawback.
    """

    name: str
    title: str
    apply: Callable[[np.ndarray, float, int], np.ndarray]
    summary: str


CONTRASTS: Final[dict[str, Contrast]] = {
    record.name: record
    for record in (
        Contrast("none", "As it is", lambda image, clip, tiles: image, "The original grey values."),
        Contrast(
            "equalise",
            "Histogram equalisation",
            lambda image, clip, tiles: equalise(image),
            "All greys become equally frequent over the image. Large dark borders reduce other contrast.",
        ),
        Contrast(
            "clahe",
            "CLAHE",
            clahe,
            "Local histogram equalisation with a contrast limit: shows faint structure in dark and bright "
            "regions alike, and noise as well. Brightness is less comparable between regions.",
        ),
    )
}


def _levels(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(image * (_LEVELS - 1)).astype(np.uint16))
