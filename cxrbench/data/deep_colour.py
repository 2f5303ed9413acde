"""PNG and TIFF of 16 bits per channel in colour or with alpha, of which Pillow alone keeps 8 bits."""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import ImageOps
from PIL.ImageFile import ImageFile

__all__ = ["is_deep", "read_deep"]

# The last letter of a raw mode is the order of a sample's two bytes.
_OTHER: Final = {"L": "B", "B": "L", "N": "B" if np.little_endian else "L"}


def is_deep(image: ImageFile) -> bool:
    """Whether an opened, not yet decoded picture has several channels of 16 bits each."""
    modes = [_raw_mode(tile.args) for tile in image.tile]
    return bool(modes) and all(mode.startswith(("RGB;16", "RGBA;16", "LA;16")) for mode in modes)


def read_deep(opened: Callable[[], ImageFile]) -> np.ndarray:
    """All 16 bits of every channel.

    Pillow keeps the more significant byte of each sample, and the other one if the byte order is declared the
    other way round: two passes give both. Grey with alpha has four bytes per pixel: one pass keeps them as
    four channels.

    Args:
        opened: opens the file again, without decoding it.

    Returns:
        (H, W, C) uint16: grey and alpha, or red, green, blue and, where there is one, alpha.
    """
    with opened() as image:
        first = _raw_mode(image.tile[0].args)
        if first.startswith("LA;16"):
            return _bytes(image, lambda _: "RGBA").view(">u2").astype(np.uint16)
        high = _bytes(image, lambda mode: mode)
    with opened() as image:
        low = _bytes(image, lambda mode: mode[:-1] + _OTHER[mode[-1]])
    samples: np.ndarray = (high.astype(np.uint16) << 8) | low
    return samples


def _bytes(image: ImageFile, change: Callable[[str], str]) -> np.ndarray:
    """Decode with another raw mode and apply the orientation tag: (H, W, C) uint8."""
    tiles = []
    for tile in image.tile:
        mode = change(_raw_mode(tile.args))
        tiles.append(
            tile._replace(args=mode if isinstance(tile.args, str) else (mode, *(tile.args or ())[1:]))
        )
    image.tile = tiles
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return np.ascontiguousarray(image)


def _raw_mode(args: object) -> str:
    mode = args[0] if isinstance(args, tuple) and args else args
    return mode if isinstance(mode, str) else ""
