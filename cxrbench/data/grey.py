"""Decoded samples of any depth and colour → one grey image in [0, 1]."""

from typing import Final

import numpy as np

from cxrbench.errors import InputError

__all__ = ["COLOUR", "from_colour", "from_floats", "from_integers", "refuse_size"]

# The note on a picture in colour.
COLOUR: Final = "colour picture: read as its luma"

# Rec. 601 luma, as in JPEG's Y channel: a grey picture saved in colour is restored exactly.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# Chroma rounding of a grey JPEG is far below this (of 255); a heat map or a photograph is far above.
_COLOUR_SPREAD = 16

_ROWS = 256  # of a colour picture per step, so that three channels of floats are never all in memory

# Bit depths of detectors. A 12-bit film in a 16-bit file would be nearly black at 1/65535.
_DEPTHS = (8, 10, 12, 14, 16, 32)


def refuse_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture by the size in its header, before anything is decoded.

    Raises:
        InputError: the picture has no pixels, or more than ``max_pixels``.
    """
    if width < 1 or height < 1:
        raise InputError(
            f"{name}: expected a radiograph with pixels, got one of {width}×{height}; export it again."
        )
    if width * height > max_pixels:
        raise InputError(
            f"{name}: expected at most {max_pixels / 1e6:g} million pixels (a full-size film has about 15), "
            f"got {width}×{height} = {width * height / 1e6:.0f} million; scale it down and try again."
        )


def from_integers(samples: np.ndarray) -> tuple[np.ndarray, str]:
    """Scale unsigned samples to samples / (2ᵇ − 1), b the smallest of 8, 10, 12, 14, 16, 32 that holds them.

    Files of more than 8 bits do not state how many of them the detector used, so the largest sample decides.

    Args:
        samples: (H, W), any integer type, none negative.

    Returns:
        (H, W) float32 in [0, 1], and a note where fewer bits are used than the file has.
    """
    if samples.dtype == np.uint8:
        return np.divide(samples, np.float32(255), dtype=np.float32), ""  # in one pass, without a copy
    depth, note = _depth(int(samples.max()), 16 if samples.dtype.itemsize <= 2 else 32)
    exact = samples.astype(np.float32 if depth <= 16 else np.float64)  # float32 holds whole numbers to 2²⁴
    return (exact / (2**depth - 1)).astype(np.float32, copy=False), note


def _depth(highest: int, declared: int) -> tuple[int, str]:
    """Number of bits that the samples use, and a note where the file declares more.

    Only 16 and 32 are questioned, since they are the word sizes of files; any other depth is the writer's
    choice.
    """
    depth = next(bits for bits in (declared, *_DEPTHS)[declared in (16, 32) :] if highest < 2**bits)
    if depth >= declared:
        return max(depth, declared), ""
    return depth, f"{declared}-bit file read as {depth}-bit: its samples end at {highest}"


def from_floats(samples: np.ndarray) -> tuple[np.ndarray, str]:
    """Keep real samples in [0, 1] as they are; stretch others from minimum to maximum.

    Args:
        samples: (H, W) float or signed integer. NaN and infinities become black.

    Returns:
        (H, W) float32 in [0, 1], and a note on what was changed.

    Raises:
        InputError: no sample is finite.
    """
    finite = np.isfinite(samples)
    if not finite.any():
        raise InputError("expected numbers for samples, got only NaN or infinity; export it again")
    known = samples[finite]
    low, high = float(known.min()), float(known.max())
    notes = []
    if low < 0 or high > 1:
        # Divide before subtracting: two samples near the limits of float64 must not overflow.
        scale = max(abs(low), abs(high))
        low, high, samples = low / scale, high / scale, samples / scale
        notes.append("samples outside [0, 1] stretched from minimum to maximum")
        samples = (samples - low) / (high - low) if high > low else np.zeros_like(samples)
    if not finite.all():
        notes.append(f"{(~finite).sum()} samples are not finite: shown black")
    return np.where(finite, samples, 0).astype(np.float32), "; ".join(notes)


def from_colour(samples: np.ndarray, bits: int = 0) -> tuple[np.ndarray, str]:
    """Convert red, green and blue to luma: Y = .299 R + .587 G + .114 B.

    Args:
        samples: (H, W, 3), any unsigned type. Above 8 bits, the largest sample decides how many are used, as
            in `from_integers`.
        bits: declared bits per sample; by default all of its type.

    Returns:
        (H, W) float32 in [0, 1], and notes where fewer bits are used than declared, and where the picture is
        in colour.
    """
    depth, note = 8, ""
    if samples.dtype != np.uint8 or bits > 8:
        depth, note = _depth(int(samples.max()), bits or 8 * samples.itemsize)
    full = 2**depth - 1
    luma, spread = np.empty(samples.shape[:2], np.float32), 0
    for top in range(0, len(samples), _ROWS):
        rows = slice(top, top + _ROWS)
        red, green, blue = (samples[rows, :, channel] for channel in range(3))
        least, most = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
        spread = max(spread, int((most - least).max()))
        luma[rows] = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    luma /= np.float32(full)
    colour = COLOUR if spread > _COLOUR_SPREAD / 255 * full else ""
    return np.clip(luma, 0, 1, out=luma), "; ".join(filter(None, (note, colour)))
