"""Uncompressed TIFF that Pillow cannot open: grey with alpha, separate planes, 64 bits, half floats."""

import logging
from io import BytesIO

import numpy as np
from tifffile import COMPRESSION, PHOTOMETRIC, TiffFile, TiffPage

from cxrbench.data.grey import from_colour, from_floats, from_integers, refuse_size
from cxrbench.errors import InputError

__all__ = ["decode_plain_tiff", "grey_of"]

_UNASSOCIATED = 2
# tifffile logs every tag of a damaged file; the InputError names the cause.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def decode_plain_tiff(data: bytes, name: str, max_pixels: int) -> tuple[np.ndarray, str]:
    """Decode a TIFF file to a grey picture.

    Raises:
        InputError: several pages, too large, compressed, or of a colour model other than grey and RGB.
    """
    with TiffFile(BytesIO(data)) as file:
        if len(file.pages) != 1:
            raise InputError(
                f"{name}: expected one radiograph, got a TIFF of {len(file.pages)} pages; "
                "save the one you mean."
            )
        page = file.pages[0]
        if not isinstance(page, TiffPage):
            raise TypeError(type(page))
        refuse_size(name, page.imagewidth, page.imagelength, max_pixels)
        if page.compression != COMPRESSION.NONE:
            # tifffile's decompression is unbounded: a few kilobytes could fill the memory.
            raise InputError(f"{name}: this kind of TIFF is read only uncompressed; save it so, or as PNG.")
        white = page.photometric == PHOTOMETRIC.MINISWHITE
        if not white and page.photometric not in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB):
            raise InputError(
                f"{name}: expected a grey or RGB TIFF, got another colour model; save it as grey."
            )
        samples = np.asarray(page.asarray())
        extra = int(page.extrasamples[0]) if page.extrasamples else 0
    if samples.ndim == 3 and samples.shape[2] != page.samplesperpixel:
        samples = np.moveaxis(samples, 0, 2)  # separate planes
    colours = 3 if page.photometric == PHOTOMETRIC.RGB else 1
    kept = colours + (extra == _UNASSOCIATED)  # an associated alpha is already multiplied into the colours
    pixels, note = grey_of(samples[..., :kept] if samples.ndim == 3 else samples)
    return (1 - pixels if white else pixels), note


def grey_of(samples: np.ndarray) -> tuple[np.ndarray, str]:
    """Convert samples of any type to grey; an alpha channel is composited over black.

    Args:
        samples: (H, W), or (H, W, C) with C 1 (grey), 2 (grey, alpha), 3 (colours), 4 (colours, alpha).

    Returns:
        (H, W) float32 in [0, 1], and a note.
    """
    if samples.ndim == 2:
        samples = samples[..., None]
    channels = samples.shape[2]
    colours = samples[..., : 3 if channels > 2 else 1]
    if channels > 2 and np.issubdtype(samples.dtype, np.unsignedinteger):
        pixels, note = from_colour(colours)
    elif channels > 2:
        raise InputError("expected whole numbers for colours, got decimal or signed ones; save it as grey")
    else:
        pixels, note = _grey(colours[..., 0])
    if channels in (2, 4):
        pixels = pixels * _grey(samples[..., -1])[0]
    return pixels, note


def _grey(samples: np.ndarray) -> tuple[np.ndarray, str]:
    if np.issubdtype(samples.dtype, np.floating):
        return from_floats(samples.astype(np.float64))
    if samples.dtype.itemsize > 4 or samples.min() < 0:
        return from_floats(samples.astype(np.float64))
    return from_integers(samples)
