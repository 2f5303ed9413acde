"""Grey pictures as PNG, lossless where PNG can hold them."""

import numpy as np

from cxrbench.data import read_image
from cxrbench.writing import png_bytes

__all__ = ["lossless_png", "png"]


def png(image: np.ndarray, *, bits: int = 8) -> bytes:
    """A grey image (H, W) in [0, 1], rounded to 8 or 16 bits, as a PNG file that says nothing else."""
    kind = np.uint8 if bits == 8 else np.uint16
    samples = np.rint(np.asarray(image, np.float64) * (2**bits - 1)).astype(kind)
    return png_bytes(samples, optimize=bits == 8)


def lossless_png(image: np.ndarray) -> bytes | None:
    """A PNG that ``read_image`` reads as exactly these pixels; None if 8 or 16 bits cannot hold them."""
    for bits in (8, 16):
        data = png(image, bits=bits)
        if np.array_equal(read_image(data).pixels, image):
            return data
    return None
