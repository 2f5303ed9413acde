"""Arrays encoded for the canvas: films as PNG, maps and colours as bytes, masks as polygons."""

import base64
from typing import Final

import cv2
import numpy as np

from cxrbench.app.compare.canvas.schema import ColourData, MapData, PictureData
from cxrbench.figures import COLOURS, outline_polygons
from cxrbench.preprocess import Box, Preprocessing
from cxrbench.writing import png_bytes

__all__ = ["colour_tables", "encoded", "input_box", "outline", "picture", "shown_size", "shrink"]

# Grids up to this side are sent as floats; larger ones as 16-bit steps, a third of the size.
_SMALL: Final = 64
_SHOWN: Final = 1024  # longest side of the radiograph as sent to the browser


def shrink(image: np.ndarray) -> float:
    """Factor by which a film (H, W) is reduced for the browser; 1 if it is small enough."""
    return min(1.0, _SHOWN / float(max(image.shape)))


def shown_size(image: np.ndarray) -> tuple[int, int]:
    """(width, height) of a film (H, W) as sent to the browser, in pixels."""
    height, width = (max(1, round(side * shrink(image))) for side in image.shape)
    return width, height


def picture(image: np.ndarray) -> PictureData:
    """A grey image (H, W) in [0, 1] as a PNG of at most 1024 pixels per side."""
    if shrink(image) < 1:
        image = cv2.resize(image, shown_size(image), interpolation=cv2.INTER_AREA)
    data = png_bytes(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))
    source = base64.b64encode(data).decode("ascii")
    return {"src": f"data:image/png;base64,{source}", "width": image.shape[1], "height": image.shape[0]}


def encoded(relevance: np.ndarray, box: tuple[float, float, float, float]) -> MapData:
    """A raw map (h, w) as bytes in base 64: floats, or 16-bit steps of max |value| ÷ 32767."""
    height, width = relevance.shape
    left, top, right, bottom = map(float, box)
    small = max(height, width) <= _SMALL
    step = 1.0 if small else float(np.abs(relevance).max()) / 32767 or 1.0
    values = relevance.astype("<f4") if small else np.round(relevance / step).astype("<i2")
    return {
        "kind": "f32" if small else "i16",
        "width": width,
        "height": height,
        "box": (left, top, right, bottom),
        "step": step,
        "data": _base64(values),
    }


def colour_tables() -> dict[str, ColourData]:
    """All colour tables by name."""
    return {
        name: {
            "title": colours.title,
            "diverging": colours.diverging,
            "table": _base64(colours.table),
        }
        for name, colours in COLOURS.items()
    }


def input_box(
    preprocessing: Preprocessing, shape: tuple[int, int], box: Box | None = None, scale: float = 1.0
) -> tuple[float, float, float, float]:
    """Box of the network's input on a film (H, W) drawn at ``scale``: left, top, right, bottom.

    In pixels of the drawing; it reaches beyond the film if the film was padded.
    """
    top, left, bottom, right = preprocessing.placement(shape, box).extent
    return left * scale, top * scale, right * scale, bottom * scale


def outline(mask: np.ndarray, scale: float = 1.0) -> list[list[tuple[float, float]]]:
    """The polygons of ``outline_polygons`` of a mask (H, W), in pixels × ``scale``."""
    return [
        [(round(float(x), 1), round(float(y), 1)) for x, y in polygon * scale]
        for polygon in outline_polygons(mask)
    ]


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
