"""``Runs``: a mask as run lengths, and its two published text forms: COCO's and SIIM's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cxrbench.data.images import MAX_PIXELS
from cxrbench.errors import InputError

__all__ = ["Runs"]

_ZERO: Final = 48  # COCO's text: the characters from "0" on stand for six bits each
_MORE: Final = 0x20  # the number goes on in the next character
_SIGN: Final = 0x10  # in a number's last character: the number is negative


@dataclass(frozen=True, eq=False)
class Runs:
    """A mask as the lengths of its runs, column by column from the top left.

    Args:
        counts: (R,) lengths of runs outside and inside by turns; the first is outside, and may be 0.
        size: (H, W) of the mask.

    Raises:
        InputError: the runs do not fill the mask.
    """

    counts: np.ndarray
    size: tuple[int, int]

    def __post_init__(self) -> None:
        height, width = self.size
        if not 1 <= height * width <= MAX_PIXELS or min(self.size) < 1:
            raise InputError(
                f"The size of a mask must be its height and width in pixels; got {self.size!r:.60}."
            )
        if (self.counts.size and self.counts.min() < 0) or int(self.counts.sum()) != height * width:
            raise InputError(
                f"The runs of a mask of {height} × {width} pixels must add up to {height * width}; got "
                f"{int(self.counts.sum())}. The size must be (height, width)."
            )

    @property
    def area(self) -> int:
        """Number of pixels inside."""
        return int(self.counts[1::2].sum())

    def mask(self) -> np.ndarray:
        """The mask, (H, W) bool."""
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(self.size, order="F")

    def coco(self) -> dict[str, Any]:
        """The mask as COCO's compressed text, as pycocotools writes it: ``size`` and ``counts``."""
        differences = self.counts.astype(np.int64)
        differences[3:] -= self.counts[1:-2]  # from the fourth run on: minus the last run of the same kind
        characters = []
        for value in differences.tolist():
            more = True
            while more:
                bits, value = value & 0x1F, value >> 5
                more = value != (-1 if bits & _SIGN else 0)
                characters.append(chr(_ZERO + (bits | _MORE if more else bits)))
        return {"size": list(self.size), "counts": "".join(characters)}

    @classmethod
    def of(cls, mask: np.ndarray) -> "Runs":
        """The runs of a mask (H, W)."""
        flat = np.asarray(mask, bool).ravel(order="F")
        edges = np.flatnonzero(np.diff(flat, prepend=False))
        height, width = mask.shape
        return cls(np.diff(edges, prepend=0, append=flat.size), (height, width))

    @classmethod
    def empty(cls, size: tuple[int, int]) -> "Runs":
        """A mask without a pixel inside."""
        return cls(np.array([size[0] * size[1]]), size)

    @classmethod
    def from_coco(cls, record: object) -> "Runs":
        """The runs of a COCO record: ``size`` [h, w], and ``counts`` as compressed text or as a list.

        Raises:
            InputError: another record, or runs that do not fill the mask.
        """
        if isinstance(record, dict):
            size, counts = record.get("size"), record.get("counts")
            lengths = _decoded(counts) if isinstance(counts, str) else counts
            if _whole(size, 2) and _whole(lengths):
                return cls(np.array(lengths, np.int64), (size[0], size[1]))  # type: ignore[index]
        raise InputError(
            f"A mask must be an object with size [height, width] and counts (COCO's run lengths); got "
            f"{record!r:.60}."
        )

    @classmethod
    def from_relative(cls, text: str, size: tuple[int, int]) -> "Runs":
        """The runs of SIIM's text: pairs of a gap since the last run and a run's length; "-1" for none.

        Raises:
            InputError: not pairs of whole numbers, or runs that leave the mask.
        """
        words = text.split()
        if words == ["-1"]:
            return cls.empty(size)
        try:
            lengths = np.array([int(word) for word in words], np.int64)
        except (ValueError, OverflowError):
            lengths = np.array([-1])
        rest = size[0] * size[1] - int(lengths.sum())
        if not len(lengths) or len(lengths) % 2 or lengths.min() < 0 or rest < 0:
            raise InputError(
                f"A mask must be pairs of a gap and a length within {size[0]} × {size[1]} pixels, or -1; "
                f"got {text!r:.60}."
            )
        return cls(np.append(lengths, rest), size)


def _decoded(text: str) -> list[int]:
    """The run lengths of COCO's compressed text."""
    codes = np.frombuffer(text.encode("latin1", "replace"), np.uint8).astype(np.int64) - _ZERO
    if not len(codes) or codes.min() < 0 or codes.max() >= 64 or codes[-1] & _MORE:
        raise InputError(f"COCO's run lengths must be text of the characters 0 to o; got {text!r:.40}.")
    ends = np.flatnonzero(codes & _MORE == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:  # 35 bits: more than the pixels of any image
        raise InputError(f"COCO's run lengths must be below 2³¹; got {text!r:.40}.")
    shift = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & 0x1F) << shift, starts)
    values -= np.where(codes[ends] & _SIGN, 1 << (5 * lengths), 0)
    # From the fourth run on, the difference from the last run of the same kind.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    counts: list[int] = values.tolist()
    return counts


def _whole(values: object, length: int | None = None) -> bool:
    """Whether a JSON value is a list of whole numbers."""
    whole = isinstance(values, Sequence) and all(type(value) is int for value in values)
    return whole and (length is None or len(values) == length)  # type: ignore[arg-type]
