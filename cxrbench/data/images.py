"""Any supported image file → one grey float image, safely."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cxrbench.data.dicom import decode_dicom
from cxrbench.data.raster import decode_raster
from cxrbench.data.signatures import describe, recognise
from cxrbench.errors import InputError

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Radiograph", "read_image", "recognise"]

# The note on a film without content: a network gives scores for it all the same.
CONSTANT = "every pixel has the same value"

# The largest flat-panel film is about 15 million pixels (4280×3520).
MAX_PIXELS: Final = 40_000_000
# The largest file: that many pixels at six bytes each (uncompressed 16-bit colour), and a header.
MAX_BYTES: Final = 6 * MAX_PIXELS + 2**20


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One radiograph. No tag of its file is kept, and therefore no patient's name.

    Args:
        pixels: (H, W) float32 in [0, 1]; black is 0, and bone is brighter than air.
        size: (H, W) of the picture.
        format: "PNG", "JPEG", "TIFF" or "DICOM".
        sha256: of the file's bytes.
        note: what the reader had to assume ("" if nothing), to be shown to the user.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    format: str
    sha256: str
    note: str = ""


def read_image(
    source: Path | str | bytes,
    *,
    name: str = "",
    max_pixels: int = MAX_PIXELS,
    for_side: int | None = None,
) -> Radiograph:
    """Read a radiograph from a file or from its bytes.

    The format is recognised by the first bytes. The size is checked in the header before anything is decoded.
    Grey files of more than 8 bits are scaled by the smallest usual depth that holds their samples
    (`cxrbench.data.grey.from_integers`), DICOM by its window (`cxrbench.data.dicom.decode_dicom`).

    Args:
        source: a path, or the whole file as bytes (an upload).
        name: of the image in messages; by default the file's name.
        max_pixels: larger pictures are refused.
        for_side: side in pixels to which it will be shrunk: a large JPEG may then be decoded at a half, a
            quarter or an eighth of its size, which saves memory and time and omits only detail that the
            shrinking would remove (`cxrbench.data.raster.decoder_scale`). ``pixels`` and ``size`` are then
            of the smaller picture.

    Returns:
        The radiograph.

    Raises:
        InputError: the file is missing, empty, not a picture, several pictures, too large, or damaged.
    """
    name = name or (Path(source).name if isinstance(source, (str, Path)) else "The image")
    data = _read_bytes(source, name, max_pixels)
    kind = recognise(data)
    if kind is None:
        raise InputError(f"{name}: expected a PNG, JPEG, TIFF or DICOM radiograph, got {describe(data)}.")
    if kind == "DICOM":
        pixels, note = decode_dicom(data, name, max_pixels)
    else:
        pixels, note = decode_raster(data, kind, name, max_pixels, for_side=for_side)
    if pixels.min() == pixels.max():
        note = "; ".join(filter(None, (note, CONSTANT)))
    height, width = pixels.shape
    return Radiograph(
        np.ascontiguousarray(pixels), (height, width), kind, hashlib.sha256(data).hexdigest(), note
    )


def _read_bytes(source: Path | str | bytes, name: str, max_pixels: int) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        _refuse_bytes(len(source), name, max_pixels)
        return bytes(source)
    path = Path(source)
    try:
        if path.is_file():
            _refuse_bytes(path.stat().st_size, name, max_pixels)  # before any of it is read
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such file; check the path.") from error
    except IsADirectoryError as error:
        raise InputError(f"{name}: expected a file, got a folder; name a file inside it.") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name}: the file cannot be read ({error}); check the path and its permissions."
        ) from error


def _refuse_bytes(size: int, name: str, max_pixels: int) -> None:
    most = MAX_BYTES - 6 * (MAX_PIXELS - max_pixels)
    if size > most:
        raise InputError(
            f"{name}: expected one radiograph of at most {most / 1e6:.0f} MB, "
            f"got a file of {size / 1e6:.0f} MB; scale it down."
        )
