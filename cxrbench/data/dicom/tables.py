"""Look-up tables of DICOM (PS3.3, C.11.1.1 and C.11.2.1.1), in all the encodings that writers use."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table.

    Args:
        entries: (n,) int64, not negative: outputs for n consecutive values from the first mapped value on.
        firsts: the first mapped value; two candidates where its sign is ambiguous, the likelier one first.
        bits: declared depth of the entries.
    """

    entries: np.ndarray
    firsts: tuple[int, ...]
    bits: int

    def first(self, low: float, high: float) -> int:
        """The candidate for the first mapped value with which the table covers most of low … high."""

        def covered(first: int) -> float:
            return min(high, first + len(self.entries) - 1) - max(low, first)

        return max(self.firsts, key=covered)  # on a tie the first: the declared one

    def __call__(self, values: np.ndarray, low: float, high: float) -> np.ndarray:
        """Map values to entries; values below the table map to its first entry, above it to its last.

        Args:
            values: any shape; decimal values are rounded.
            low: smallest value of the film.
            high: largest value of the film.

        Returns:
            int64 of the same shape.
        """
        index = np.rint(np.asarray(values, np.float64)) - self.first(low, high)
        mapped: np.ndarray = self.entries[np.clip(index, 0, len(self.entries) - 1).astype(np.intp)]
        return mapped


def read_table(descriptor: Any, data: Any, *, signed: bool) -> Table | None:
    """Read a table from its two elements; None where they contradict each other.

    Entries of at most 8 bits may be packed one per byte, also in elements of 16-bit words (then the first
    entry is in the lower half of the first word); all others are 16-bit words in the file's byte order. The
    first mapped value may be written as unsigned although values are signed, or vice versa.

    Args:
        descriptor: LUT Descriptor: number of entries (0 is 65,536), first mapped value, bits of an entry.
        data: LUT Data.
        signed: whether pixels are signed; decides the sign of the first mapped value where its VR does not.
    """
    order = "<" if data.is_little_endian else ">"
    if len(descriptor.value) < 6:
        return None
    count, first, bits = np.frombuffer(
        descriptor.value, "<u2" if descriptor.is_little_endian else ">u2", count=3
    ).tolist()
    count = count or 2**16
    entries = _entries(data.value, count, bits, order, swapped=order == ">" and data.VR != "OB")
    if entries is None:
        return None
    firsts = (first,) if first < 2**15 else (first, first - 2**16)
    negative = descriptor.VR == "SS" or (descriptor.VR != "US" and signed)
    return Table(entries, firsts[::-1] if negative else firsts, bits)


def _entries(data: bytes, count: int, bits: int, order: str, *, swapped: bool) -> np.ndarray | None:
    if len(data) >= 2 * count:
        return np.frombuffer(data, f"{order}u2", count=count).astype(np.int64)
    if bits > 8 or len(data) < count:
        return None
    if swapped:
        words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2")
        data = words.astype("<u2").tobytes()
    return np.frombuffer(data, np.uint8, count=count).astype(np.int64)
