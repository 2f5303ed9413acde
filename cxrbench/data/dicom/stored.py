"""Pixel data → stored values, and which of them are padding."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import RLELossless

from cxrbench.data.dicom.header import Header
from cxrbench.errors import InputError

__all__ = ["StoredValues", "decode"]


@dataclass(frozen=True, eq=False)
class StoredValues:
    """Stored values and their padding.

    Args:
        values: (H, W) or (H, W, 3), any integer type.
        padding: (H, W) bool, where values mean "outside the film"; False throughout colour pictures.
        notes: what had to be assumed.
    """

    values: np.ndarray
    padding: np.ndarray
    notes: tuple[str, ...] = ()


def decode(header: Header, name: str) -> StoredValues:
    """Decode the pixel data of any transfer syntax.

    Where whole words are stored, the value is extracted by High Bit and Bits Stored (PS3.5, 8.1.1), so that
    an overlay in the other bits has no effect. A compressed picture holds the value only.

    Raises:
        InputError: the data are cut short, or cannot be decoded.
    """
    native = not header.syntax.is_encapsulated
    if native:
        _refuse_length(header, name)
    whole_words = native or header.syntax == RLELossless
    options = _options(header)
    if whole_words:
        options["correct_unused_bits"] = False  # done here, where the high bit is known
    try:
        array, _ = get_decoder(header.syntax).as_array(
            header.pixels[: _length(header)] if native else header.pixels, index=0, **options
        )
    except MemoryError:
        raise
    except Exception:
        # Decoders raise any type of exception. `from None`: the cause may quote a tag.
        raise InputError(
            f"{name}: expected a whole DICOM, got one whose picture cannot be decoded; it was damaged on its "
            "way or compressed in a rare way: export it again, uncompressed."
        ) from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if header.samples == 3 or header.allocated == 1 or not whole_words:
        return StoredValues(array, _padding(header, array, None))
    values, notes = _extract(header, array)
    return StoredValues(values, _padding(header, values, array), notes)


def _options(header: Header) -> dict[str, Any]:
    """Options of pydicom's decoders."""
    return {
        "rows": header.rows,
        "columns": header.columns,
        "number_of_frames": 1,
        "samples_per_pixel": header.samples,
        "photometric_interpretation": header.colours,
        "planar_configuration": header.planar,
        "pixel_keyword": "PixelData",
        "pixel_vr": header.pixel_vr,
        "bits_allocated": header.allocated,
        "bits_stored": header.stored,
        "pixel_representation": int(header.signed),
    }


def _length(header: Header) -> int:
    """Length of uncompressed pixel data in bytes, rounded up to an even number."""
    samples = 2 if header.colours == "YBR_FULL_422" else header.samples
    length = ceil(header.rows * header.columns * samples * header.allocated / 8)
    return length + length % 2


def _refuse_length(header: Header, name: str) -> None:
    expected, got = _length(header), len(header.pixels)
    odd = header.rows * header.columns * header.samples * header.allocated // 8 % 2
    if got < expected - odd:
        raise InputError(
            f"{name}: expected a whole DICOM, got one whose pixel data end after {got:,} of {expected:,} "
            "bytes; it was cut short: copy or export it again."
        )
    if header.colours == "YBR_FULL_422" and got >= header.rows * header.columns * 3:
        raise InputError(
            f"{name}: the DICOM's colour model halves the colours and its pixel data do not; "
            "export it as MONOCHROME2 or RGB."
        )
    if got >= 2 * expected:
        raise InputError(
            f"{name}: expected one radiograph, got a DICOM with pixel data for {got // expected}; "
            "export the frame you mean."
        )


def _extract(header: Header, words: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The stored bits of every word, with their sign, and notes."""
    allocated, stored, high = header.allocated, header.stored, header.high_bit
    notes: tuple[str, ...] = ()
    if not stored - 1 <= high < allocated:
        notes = ("DICOM whose high bit contradicts its bits stored: values read from the lowest bits",)
        high = stored - 1
    elif high > stored - 1:
        bits = np.bitwise_or.reduce(words.view(f"u{words.dtype.itemsize}"), axis=None)
        lowest, unused = int(bits) & (2 ** (high - stored + 1) - 1), int(bits) >> stored
        if lowest and not unused:
            notes = ("DICOM whose values do not reach its high bit: values read from the lowest bits",)
            high = stored - 1
    if stored == allocated:
        return words, notes
    # Shift left until the highest stored bit is the word's highest, then right, which extends the sign.
    shifted = np.left_shift(words, np.array(allocated - 1 - high, words.dtype))
    return np.right_shift(shifted, np.array(allocated - stored, words.dtype), out=shifted), notes


def _padding(header: Header, values: np.ndarray, words: np.ndarray | None) -> np.ndarray:
    """Where stored values mean "outside the film" (PS3.3, C.7.5.1.1.2), (H, W) bool.

    The padding value is read as signed where pixels are, however it is written. Some writers fill whole words
    with a value that the stored bits cannot hold: then words are compared.
    """
    padding = np.zeros(values.shape[:2], bool)
    if header.padding is None or header.samples == 3:
        return padding
    bits = max(header.allocated, 16)
    low, high = sorted(_with_sign(value, bits, signed=header.signed) for value in header.padding)
    least, greatest = _range(header.stored, signed=header.signed)
    if low <= greatest and high >= least:
        padding = (values >= low) & (values <= high)
    if words is not None and (low < least or high > greatest):
        padding = padding | (((words < least) | (words > greatest)) & (words >= low) & (words <= high))
    if header.signed and not padding.any() and greatest < low <= high <= 2 * greatest + 1:
        # The stored bits without their sign: 2096 in 12 bits is -2000.
        span = 2 * greatest + 2
        padding = (values >= low - span) & (values <= high - span)
    return padding


def _with_sign(value: int, bits: int, *, signed: bool) -> int:
    unsigned: int = value % 2**bits
    return unsigned - 2**bits if signed and unsigned >= 2 ** (bits - 1) else unsigned


def _range(bits: int, *, signed: bool) -> tuple[int, int]:
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
