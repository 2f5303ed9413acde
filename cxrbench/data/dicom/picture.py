"""DICOM → the grey image that a viewer would show; only pixels leave this package."""

from dataclasses import dataclass

import numpy as np

from cxrbench.data.dicom.codestream import refuse_codestream
from cxrbench.data.dicom.header import Header, read_header
from cxrbench.data.dicom.stored import StoredValues, decode
from cxrbench.data.dicom.windows import choose_window
from cxrbench.data.grey import from_colour
from cxrbench.errors import InputError

__all__ = ["decode_dicom"]

_ROWS = 256  # per step, so that indices of 8 bytes per pixel are never needed for the whole film
_SPAN = 2**20  # range of stored values up to which every integer in it gets a level


def decode_dicom(data: bytes, name: str, max_pixels: int) -> tuple[np.ndarray, str]:
    """Decode a DICOM file to a grey picture, with the standard's grayscale pipeline (PS3.4, N.2).

    1. Stored values: decoded from any transfer syntax. Values in the padding range are masked.
    2. Modality: slope · value + intercept, or the modality look-up table.
    3. Values of interest: the first usable look-up table, else the first usable window (see `window`).
       Without either, pictures of at most 8 bits that step 2 did not change are scaled by their bits
       (value / (2ᵇ − 1)), all others from minimum to maximum. A table's highest entry is white.
    4. MONOCHROME1 is inverted: 1 − x. Padding is black.

    Error messages and notes quote no text from the file: its tags may name a patient.

    Args:
        data: the whole file, with or without its preamble.
        name: of the file in messages.
        max_pixels: larger pictures are refused before decoding.

    Returns:
        (H, W) float32 in [0, 1], and a note on what the user should know.

    Raises:
        InputError: no picture, several frames, a palette, an unknown compression, too large, a contradictory
            header, or damaged; one sentence per cause.
    """
    try:
        header = read_header(data, name, max_pixels)
        refuse_codestream(header, name, max_pixels)
        stored = decode(header, name)
        if header.samples == 3:
            if header.signed:
                raise InputError(
                    f"{name}: expected unsigned colours, got signed ones; export it as MONOCHROME2."
                )
            pixels, note = from_colour(stored.values, header.stored)
            notes: tuple[str, ...] = (*header.notes, *stored.notes, note)
        else:
            pixels, notes = _grey(header, stored, name)
    except MemoryError:
        raise InputError(f"{name}: the DICOM is too large for this machine; scale it down.") from None
    except InputError:
        raise
    except Exception:
        # Known causes have their own sentences. `from None`: an unknown one may quote a tag.
        raise InputError(
            f"{name}: expected a DICOM radiograph, got one that is damaged in an unknown way; "
            "export it again."
        ) from None
    return pixels, "; ".join(filter(None, notes))


@dataclass(frozen=True, eq=False)
class _Levels:
    """Distinct stored values: each step of the pipeline runs once per level, not once per pixel.

    Args:
        values: (K,) the levels.
        counts: (K,) number of pixels at each level, without padding.
        index: (H, W) level of each pixel; None where every pixel is a level of its own.
    """

    values: np.ndarray
    counts: np.ndarray
    index: np.ndarray | None


def _grey(header: Header, stored: StoredValues, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Steps 2 to 4 of `decode_dicom` for stored values (H, W)."""
    padding, notes = stored.padding, (*header.notes, *stored.notes)
    if padding.all():
        padding = np.zeros_like(padding)
        notes += ("DICOM whose padding value covers the whole film: not taken as padding",)
    levels = _levels(stored.values, padding)
    values, changed = _modality(header, levels.values, name)
    shown, more = _values_of_interest(header, values, levels.counts, changed=changed)
    if header.colours == "MONOCHROME1":
        shown = 1 - shown
    shown = shown.astype(np.float32)
    if levels.index is None:
        return np.where(padding, 0, shown.reshape(padding.shape)), notes + more
    pixels = np.empty(padding.shape, np.float32)
    for top in range(0, len(pixels), _ROWS):
        rows = slice(top, top + _ROWS)
        pixels[rows] = np.where(padding[rows], 0, shown[levels.index[rows]])
    return pixels, notes + more


def _levels(stored: np.ndarray, padding: np.ndarray) -> _Levels:
    low, high = int(stored.min()), int(stored.max())
    if high - low >= _SPAN:
        return _Levels(stored.ravel(), ~padding.ravel(), None)
    # As unsigned, so that a difference of two signed values of opposite signs fits.
    index = (stored - stored.dtype.type(low)).view(f"u{stored.itemsize}")
    counts = np.zeros(high - low + 1, np.int64)
    for top in range(0, len(stored), _ROWS):
        rows = slice(top, top + _ROWS)
        counts += np.bincount(index[rows][~padding[rows]], minlength=len(counts))
    return _Levels(np.arange(low, high + 1), counts, index)


def _modality(header: Header, levels: np.ndarray, name: str) -> tuple[np.ndarray, bool]:
    """Step 2 of `decode_dicom`: (K,) float64, and whether it changes values."""
    if header.modality_tables:
        table = header.modality_tables[0]
        if table is None:
            raise InputError(
                f"{name}: expected as many entries in the DICOM's modality look-up table as it declares, got "
                "fewer or none; without it the values are undefined: export it again."
            )
        return table(levels, levels.min(), levels.max()).astype(np.float64), True
    slope, intercept = header.rescale
    return levels.astype(np.float64) * slope + intercept, header.rescale != (1.0, 0.0)


def _values_of_interest(
    header: Header, values: np.ndarray, counts: np.ndarray, *, changed: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Step 3 of `decode_dicom`: (K,) float64 in [0, 1], and notes."""
    seen = values[counts > 0]
    low, high = float(seen.min()), float(seen.max())
    notes: tuple[str, ...] = ()
    if header.tables:
        table = next((table for table in header.tables if table is not None), None)
        if table is not None:
            first, top = table.first(low, high), int(table.entries.max())
            full = 2**table.bits - 1
            if top != full:
                notes = (
                    f"DICOM whose look-up table ends at {top}, not at {full}: its highest entry is white",
                )
            cut = _cut_off("look-up table", values, counts, (first, first + len(table.entries) - 1))
            return table(values, low, high) / max(top, 1), notes + cut
        notes = ("DICOM whose look-up table holds fewer entries than it declares: left out",)
    chosen, window_notes = choose_window(header.centres, header.widths, header.function)
    notes += window_notes
    if chosen is not None:
        return chosen(values), notes + _cut_off("window", values, counts, chosen.ends)
    full = 2**header.stored - 1
    if not changed and header.stored <= 8 and not header.signed and high <= full:
        return np.clip(values / full, 0, 1), notes
    notes += ("DICOM without a window: stretched from minimum to maximum",)
    if high <= low:
        return np.zeros(values.shape), notes
    return np.clip((values - low) / (high - low), 0, 1), notes


def _cut_off(
    transform: str, values: np.ndarray, counts: np.ndarray, ends: tuple[float, float]
) -> tuple[str, ...]:
    """A note where more than half of the film is outside the range of a window or a table."""
    below, above = (
        counts[values < ends[0]].sum() / counts.sum(),
        counts[values > ends[1]].sum() / counts.sum(),
    )
    if below + above <= 0.5:
        return ()
    outside = f"{below + above:.0%} of the film: {below:.0%} below, {above:.0%} above it"
    return (f"DICOM's {transform} cuts off {outside}",)
