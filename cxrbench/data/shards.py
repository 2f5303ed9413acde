"""One shard of a cache on disk: a block of images and the sources of each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrbench.data.reading import Stamp, reading_version
from cxrbench.writing import draft, write_text

__all__ = ["CachedImage", "Shard", "read_shard", "write_shard"]


@dataclass(frozen=True)
class CachedImage:
    """The source of one image of a shard.

    Args:
        path: of the image file.
        stamp: of the file before it was read.
        sha256: of the file; "" where it could not be read.
        problem: why the file could not be decoded; "" where it could.
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
        rows: the sources of the n images.
        sha256: of the pixels when they were written.
        reader: version of the code that read the images (`cxrbench.data.reading.reading_version`).
    """

    path: Path
    pixels: np.ndarray
    rows: tuple[CachedImage, ...]
    sha256: str
    reader: str

    def whole(self) -> bool:
        """Whether the pixels are those that were written."""
        return hashlib.sha256(np.ascontiguousarray(self.pixels).data).hexdigest() == self.sha256


def write_shard(path: Path, pixels: np.ndarray, rows: Sequence[CachedImage]) -> None:
    """Write a block and its sources; if the machine stops meanwhile, each file is complete or absent.

    The sources are written last; a block without them does not count.
    """
    record = {
        "sha256": hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest(),
        "reader": reading_version(),
        "rows": [(row.path, list(row.stamp), row.sha256, row.problem) for row in rows],
    }
    record_path = path.with_suffix(".json")
    record_path.unlink(missing_ok=True)
    with draft(path, sync=True) as partial, partial.open("wb") as file:  # np.save adds a suffix to a path
        np.save(file, pixels)
    write_text(record_path, json.dumps(record))


def read_shard(path: Path) -> Shard | None:
    """Open a shard, memory-mapped; None where it is missing or incomplete."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf8"))
        rows = tuple(CachedImage(path, Stamp(*stamp), *rest) for path, stamp, *rest in record["rows"])
        pixels = np.load(path, mmap_mode="r")
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    if pixels.ndim != 3 or len(pixels) != len(rows) or pixels.dtype != np.uint8:
        return None
    return Shard(path, pixels, rows, str(record.get("sha256")), str(record.get("reader")))
