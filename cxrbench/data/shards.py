"""One shard of a cache on disk: a block of images and the sources of each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrbench.data.reading import Stamp, reading_version
from cxrbench.writing import draft, write_text

__all__ = ["Row", "Shard", "read_shard", "write_shard"]


@dataclass(frozen=True)
class Row:
    """Where a row comes from.

    Args:
        path: of the image.
        stamp: how its file looked before it was read.
        sha256: of the file; "" where it could not be read.
        problem: why there is no image; "" where there is one.
    """

    path: str
    stamp: Stamp
    sha256: str
    problem: str


@dataclass(frozen=True, eq=False)
class Shard:
    """A block of images.

    Args:
        path: of the block.
        pixels: (n, S, S) uint8, memory-mapped, read-only.
        rows: n of them.
        sha256: of the pixels when they were written.
        reader: of which version the code was that read the images.
    """

    path: Path
    pixels: np.ndarray
    rows: tuple[Row, ...]
    sha256: str
    reader: str

    def whole(self) -> bool:
        """Whether the bytes are those that were written."""
        return hashlib.sha256(np.ascontiguousarray(self.pixels).data).hexdigest() == self.sha256


def write_shard(path: Path, pixels: np.ndarray, rows: Sequence[Row]) -> None:
    """Write a block and its rows: both are whole or not there, whenever the machine stops.

    The rows go last, and a block without its rows is none.
    """
    record = {
        "sha256": hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest(),
        "reader": reading_version(),
        "rows": [(row.path, list(row.stamp), row.sha256, row.problem) for row in rows],
    }
    beside = path.with_suffix(".json")
    beside.unlink(missing_ok=True)
    with draft(path, sync=True) as own, own.open("wb") as file:  # np.save adds an ending to a path
        np.save(file, pixels)
    write_text(beside, json.dumps(record))


def read_shard(path: Path) -> Shard | None:
    """A block, memory-mapped, with its rows; None where it is not there or not whole."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf8"))
        rows = tuple(Row(path, Stamp(*stamp), *rest) for path, stamp, *rest in record["rows"])
        pixels = np.load(path, mmap_mode="r")
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    if pixels.ndim != 3 or len(pixels) != len(rows) or pixels.dtype != np.uint8:
        return None
    return Shard(path, pixels, rows, str(record.get("sha256")), str(record.get("reader")))
