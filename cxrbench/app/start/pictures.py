"""Pictures of the Start page: a film, maps over it with the outline of the finding, and small films."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cxrbench import assets
from cxrbench.compare import HeatMaps, heatmap, peak
from cxrbench.figures import COLOURS, colours_for, grey, outline_polygons, overlay
from cxrbench.writing import png_bytes

__all__ = ["film_png", "map_png", "thumbnails"]

_SIDE: Final = 640  # pixels of a picture's longest side: outlines stay sharp on a wide screen
_SMALL: Final = 144
_GAIN: Final = 3  # of the difference of two films, as on Compare


def film_png(image: np.ndarray, mask: np.ndarray | None = None, *, of: np.ndarray | None = None) -> bytes:
    """A film (H, W) in [0, 1], outlined where there is a mask; or what changed from another film to it.

    Args:
        image: the film.
        mask: (H, W) bool, of the finding.
        of: another film: drawn is image − of, three times as strong, on grey.
    """
    shown = image if of is None else 0.5 + _GAIN / 2 * (image - of)
    return png_bytes(_outlined(grey(_enlarged(shown)), mask))


def map_png(image: np.ndarray, heat: HeatMaps, finding: str, mask: np.ndarray) -> bytes:
    """A map of a finding over its film (H, W), on its own scale, with the outline of the mask (H, W)."""
    relevance = heat.map_of(finding)
    if relevance is None:
        return film_png(image, mask)
    whole = heat.on_film(relevance[None], image.shape)[0]
    values = heatmap(whole, peak(heat, finding), signed=heat.signed)
    film = _enlarged(image)
    larger = cv2.resize(values, film.shape[::-1], interpolation=cv2.INTER_LINEAR)
    colours = colours_for(next(iter(COLOURS)), signed=heat.signed)
    return png_bytes(_outlined(overlay(film, larger, colours), mask))


def thumbnails() -> dict[str, bytes]:
    """Id of a gallery case → its film as a small PNG."""
    return _thumbnails(assets.gallery())


@lru_cache(maxsize=2)
def _thumbnails(root: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(root.glob("*/image.png")):
        film = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if film is not None:
            small = cv2.resize(film, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
            found[path.parent.name] = png_bytes(small)
    return found


def _enlarged(image: np.ndarray) -> np.ndarray:
    factor = _SIDE / max(image.shape)
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    # The interpolation overshoots at edges.
    larger: np.ndarray = np.clip(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    return larger


def _outlined(pixels: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The outline of a mask on a picture (H′, W′, 3) of the same field, white on black."""
    if mask is None or not mask.any():
        return pixels
    drawn = np.ascontiguousarray(pixels)
    factor = pixels.shape[1] / mask.shape[1]
    # Corners of polygons are corners of pixels; cv2 counts from the centre of the first, in 1/16 of a pixel.
    polygons = [
        np.rint((polygon * factor - 0.5) * 16).astype(np.int32)[:, None] for polygon in outline_polygons(mask)
    ]
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.polylines(drawn, polygons, True, colour, width, cv2.LINE_AA, shift=4)
    return drawn
