"""Heat maps as the gallery stores them: exact on coarse grids, halved and in 8 bits on fine ones."""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

__all__ = ["from_codes", "halved", "quantise", "read_maps", "write_maps"]

_COARSE: Final = 64  # grids up to this side are stored as float32, finer ones in 8 bits
_FINEST: Final = 128  # grids above this side are stored at half the resolution
_LEVELS: Final = 31  # per sign: fewer than 8 bits allow, so that cases are small


def write_maps(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Encode maps (L, h, w) as arrays: floats on coarse grids, else 8-bit codes and scales."""
    if max(maps.shape[1:], default=0) <= _COARSE:
        return {"maps": np.asarray(maps, np.float32)}
    codes, scale = quantise(halved(maps))
    return {"codes": codes, "scale": scale}


def read_maps(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Decode the arrays of ``write_maps`` to maps (L, h, w) float32."""
    if "maps" in arrays:
        return arrays["maps"]
    return from_codes(arrays["codes"], arrays["scale"])


def halved(maps: np.ndarray) -> np.ndarray:
    """Average maps (L, h, w) over 2 × 2 cells if a side is above 128; others are returned unchanged.

    Relevance of single pixels is noise to the eye, and would make the gallery four times as large.
    """
    if max(maps.shape[1:], default=0) <= _FINEST:
        return maps
    height, width = ((side + 1) // 2 for side in maps.shape[1:])
    small = [cv2.resize(m, (width, height), interpolation=cv2.INTER_AREA) for m in maps.astype(np.float32)]
    return np.stack(small)


def quantise(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise maps (L, h, w) to codes int8 (L, h, w) and scales float32 (L,): map ≈ sign(c)·(c/31)²·scale.

    Square roots are rounded, not values: pixel-wise relevance has few large values and many small ones, which
    a linear scale would round to zero. |error| ≤ √(|map|·scale)/31 + scale/(4·31²).
    """
    scale = np.abs(maps).max(axis=(1, 2)).astype(np.float32)
    safe = np.where(scale > 0, scale, 1)[:, None, None]
    codes = np.rint(np.sign(maps) * np.sqrt(np.abs(maps) / safe) * _LEVELS)
    return codes.astype(np.int8), scale


def from_codes(codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Maps (L, h, w) float32 from the codes and scales of ``quantise``."""
    root = codes.astype(np.float32) / np.float32(_LEVELS)
    maps: np.ndarray = np.sign(root) * root**2 * scale[:, None, None]
    return maps
