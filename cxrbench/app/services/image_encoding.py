"""Arrays encoded for the canvas: films as PNG, maps as bytes, masks as polygons."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from cxrbench.preprocess import Box, Preprocessing
from cxrbench.writing import png_bytes

__all__ = ["encoded", "input_box", "outlines", "picture", "shown_size", "shrink"]

# Grids up to this side are sent as floats; larger ones as 16-bit steps, a third of the size.
_SMALL: Final = 64
_SPECK: Final = 3e-4  # share of the radiograph below which a region's border is not drawn
_SHOWN: Final = 1024  # longest side of the radiograph as sent to the browser


def shrink(image: np.ndarray) -> float:
    """Factor by which a film (H, W) is reduced for the browser; 1 if it is small enough."""
    return min(1.0, _SHOWN / float(max(image.shape)))


def shown_size(image: np.ndarray) -> tuple[int, int]:
    """(width, height) of a film (H, W) as sent to the browser, in pixels."""
    height, width = (max(1, round(side * shrink(image))) for side in image.shape)
    return width, height


def picture(image: np.ndarray) -> dict[str, Any]:
    """A grey image (H, W) in [0, 1] as a PNG of at most 1024 pixels per side."""
    if shrink(image) < 1:
        image = cv2.resize(image, shown_size(image), interpolation=cv2.INTER_AREA)
    data = png_bytes(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))
    source = base64.b64encode(data).decode("ascii")
    return {"src": f"data:image/png;base64,{source}", "width": image.shape[1], "height": image.shape[0]}


def encoded(relevance: np.ndarray, box: Sequence[float]) -> dict[str, Any]:
    """A raw map (h, w) as bytes in base 64: floats, or 16-bit steps of max |value| ÷ 32767."""
    height, width = relevance.shape
    record = {"width": width, "height": height, "box": list(box), "step": 1.0}
    if max(height, width) <= _SMALL:
        return record | {"kind": "f32", "data": _base64(relevance.astype("<f4"))}
    step = float(np.abs(relevance).max()) / 32767 or 1.0
    return record | {"kind": "i16", "step": step, "data": _base64(np.round(relevance / step).astype("<i2"))}


def input_box(
    preprocessing: Preprocessing, shape: tuple[int, int], box: Box | None = None, scale: float = 1.0
) -> tuple[float, float, float, float]:
    """Box of the network's input on a film (H, W) drawn at ``scale``: left, top, right, bottom.

    In pixels of the drawing; it reaches beyond the film if the film was padded.
    """
    top, left, bottom, right = preprocessing.placement(shape, box).window
    return left * scale, top * scale, right * scale, bottom * scale


def outlines(mask: np.ndarray, scale: float = 1.0) -> list[list[list[float]]]:
    """Borders of a mask (H, W) as polygons of (x, y), in pixels × ``scale``, without small regions."""
    # Ragged masks have hundreds of pinholes, whose outlines would hide the picture. Closing keeps thin lines.
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    found, _ = cv2.findContours(closed, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    found = [polygon for polygon in found if cv2.contourArea(polygon) >= _SPECK * mask.size]
    polygons = [cv2.approxPolyDP(polygon, 0.7, closed=True)[:, 0] for polygon in found]
    return [((polygon + 0.5) * scale).round(1).tolist() for polygon in polygons if len(polygon) > 1]


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
