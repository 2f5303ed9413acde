"""Look-up tables of DICOM (PS3.3, C.11.1.1 and C.11.2.1.1), in all the ways that writers pack them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table.

    Args:
        entries: (n,) int64, none negative: what the n values from the first mapped one on become.
        firsts: the first mapped value; two readings where its sign is open, the likelier one first.
        bits: the depth of the entries, as declared.
    """

    entries: np.ndarray
    firsts: tuple[int, ...]
    bits: int

    def first(self, low: float, high: float) -> int:
        """The reading of the first mapped value with which the table covers most of low … high."""

        def covered(first: int) -> float:
            return min(high, first + len(self.entries) - 1) - max(low, first)

        return max(self.firsts, key=covered)  # of equals the first: the one declared

    def __call__(self, values: np.ndarray, low: float, high: float) -> np.ndarray:
        """Values → entries; those before the table become its first one, those behind it its last.

        Args:
            values: any shape; decimal ones are rounded.
            low: the least value of the film.
            high: its greatest value.

        Returns:
            int64 of the same shape.
        """
        index = np.rint(np.asarray(values, np.float64)) - self.first(low, high)
        mapped: np.ndarray = self.entries[np.clip(index, 0, len(self.entries) - 1).astype(np.intp)]
        return mapped


def read_table(descriptor: Any, data: Any, *, signed: bool) -> Table | None:
    """A table from its two elements as they stand in the file; None where they contradict each other.

    Entries of at most 8 bits may lie one in each byte, also in elements of 16-bit words (then the first entry
    is in the lower half of the first word); all others are 16-bit words in the file's byte order. The first
    mapped value may be written unsigned although values are signed, or the other way round.

    Args:
        descriptor: LUT Descriptor: number of entries (0 is 65,536), first mapped value, bits of an entry.
        data: LUT Data.
        signed: whether the pixels are; decides the sign of the first mapped value where its VR does not.
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
