"""Cache of decoded images: memory-mapped shards of network inputs, resumable, checked."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from cxrbench import assets
from cxrbench.data.images import read_image
from cxrbench.data.reading import reading_version, sha256_or_empty, stamp_of
from cxrbench.data.shards import Row, Shard, read_shard, write_shard
from cxrbench.data.studies import Problem
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import write_text

__all__ = ["Cache", "build_cache", "open_cache"]

_VERSION: Final = 1
_MANIFEST: Final = "cache.json"
# A shard is what an interruption costs at most, and what is hashed as one: a few seconds of work.
_SHARD_BYTES: Final = 2**26

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Cache:
    """Decoded images in the order of their paths: ``cache[i]`` is (S, S) uint8, ``cache[rows]`` (n, S, S).

    What could not be decoded is black, listed in ``problems``, and False in ``usable``.

    Args:
        folder: where it lies.
        shards: its parts, memory-mapped, read-only.
        preprocessing: the recipe, without mean and deviation, which are applied when a batch is made.
    """

    folder: Path
    shards: tuple[Shard, ...]
    preprocessing: Preprocessing

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[Any, ...]:
        return open_cache, (self.folder, self.preprocessing)  # another process maps the file, it gets no copy

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, S, S)."""
        return len(self), self.preprocessing.size, self.preprocessing.size

    @property
    def problems(self) -> list[Problem]:
        """What was left out, and why, in order."""
        return [Problem(Path(row.path), row.problem) for row in self._rows() if row.problem]

    @property
    def usable(self) -> np.ndarray:
        """(N,) bool: the image was decoded."""
        return np.array([not row.problem for row in self._rows()], bool)

    def __getitem__(self, index: Any) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            at = range(self._count)[index]  # negative ones too, and an IndexError past the end
            shard, row = divmod(at, len(self.shards[0].rows))
            image: np.ndarray = self.shards[shard].pixels[row]
            return image
        rows = np.arange(len(self))[index]
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)
        shards, places = np.divmod(rows, len(self.shards[0].rows))
        for shard in np.unique(shards):
            here = shards == shard
            out[here] = self.shards[shard].pixels[places[here]]
        return out

    def verify(self) -> list[Problem]:
        """Hash every shard and every image again; what no longer is what was decoded, and why."""
        wrong = [
            Problem(shard.path, "the shard's bytes have changed")
            for shard in self.shards
            if not shard.whole()
        ]
        for row in self._rows():
            path = Path(row.path)
            if not row.problem and sha256_or_empty(path) != row.sha256:
                wrong.append(Problem(path, "the file is gone or holds another image than was decoded"))
        return wrong

    @cached_property
    def _count(self) -> int:
        return sum(len(shard.rows) for shard in self.shards)

    def _rows(self) -> list[Row]:
        return [row for shard in self.shards for row in shard.rows]


def build_cache(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Cache:
    """Decode images into a folder, or bring one up to date: only what is new or changed is decoded.

    An image counts as unchanged if size and times of its file are as before, or else if its bytes have the
    same SHA-256; one that could not be read is tried again. A shard whose own bytes have changed, or that
    other reading code made, is made anew. Large JPEGs are decoded at a half, a
    quarter or an eighth where the recipe only shrinks them (`cxrbench.data.raster.decoder_scale`); bytes cost
    a pixel at most 1/510 of the grey scale.

    Args:
        paths: of the images.
        preprocessing: fit, size, interpolation, crop and contrast are used.
        folder: made if need be; a stopped build goes on where its last whole shard ended.
        workers: threads; decoding leaves Python's lock. None takes one per core.
        progress: called with (done, all) after each image that is decoded.

    Returns:
        The cache. A file that cannot be read stops nothing: it is in ``problems``.

    Raises:
        InputError: the folder holds a cache of another recipe, or none of the images can be read.
    """
    plain = replace(preprocessing, mean=0.0, std=1.0)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, plain)
    each = max(16, _SHARD_BYTES // plain.size**2)
    parts = [paths[start : start + each] for start in range(0, len(paths), each)]
    stale = [_stale(part, read_shard(_place(folder, number))) for number, part in enumerate(parts)]
    total, done = len(paths), len(paths) - sum(map(len, stale))
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for number, (part, rows) in enumerate(zip(parts, stale, strict=True)):
            place, old = _place(folder, number), read_shard(_place(folder, number))
            if not rows and old is not None and len(old.rows) == len(part):
                continue
            pixels, known = _begin(part, old, plain.size)
            results = pool.map(lambda row, part=part: _decode(part[row], plain), rows)
            same = old is not None and len(old.rows) == len(part)
            for row, (image, record) in zip(rows, results, strict=True):
                same = same and bool(record.problem) and record == known[row]
                pixels[row], known[row] = image, record
                done += 1
                if progress:
                    progress(done, total)
            if not same:  # the same files still cannot be read
                write_shard(place, pixels, [row for row in known if row is not None])
    for left in folder.glob("shard-*.npy"):  # of a longer list that was here before
        if int(left.stem.partition("-")[2]) >= len(parts):
            left.unlink()
            left.with_suffix(".json").unlink(missing_ok=True)
    cache = open_cache(folder, preprocessing)
    if len(cache) and not cache.usable.any():
        raise InputError(f"None of {len(cache)} images can be read; the first: {cache.problems[0].reason}")
    return cache


def open_cache(folder: Path, preprocessing: Preprocessing) -> Cache:
    """A cache that was built, as it is; its images are not looked at.

    Raises:
        InputError: there is none, it is of another recipe, or a shard is missing or of another size.
    """
    plain = replace(preprocessing, mean=0.0, std=1.0)
    if not (folder / _MANIFEST).is_file():
        raise InputError(f"{folder} holds no cache of images; build one with build_cache.")
    _claim(folder, plain)
    numbers = sorted(int(path.stem.partition("-")[2]) for path in folder.glob("shard-*.npy"))
    shards = [read_shard(_place(folder, number)) for number in numbers]
    whole = [shard for shard in shards if shard is not None]
    if numbers != list(range(len(numbers))) or len(whole) < len(shards):
        raise InputError(f"{folder} lacks a part of its cache; build it again: what is there is kept.")
    return Cache(folder, tuple(whole), plain)


def _place(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05}.npy"


def _claim(folder: Path, plain: Preprocessing) -> None:
    """Say whose cache this is; refuse one that was made by another recipe."""
    file = folder / _MANIFEST
    mine = {"version": _VERSION, "preprocessing": plain.as_dict()}
    if plain.crop == "lungs":
        mine["lungs"] = sha256_or_empty(assets.lungs() / "model.safetensors")
    if not file.is_file():
        write_text(file, json.dumps(mine, indent=2) + "\n")
        return
    try:
        theirs = json.loads(file.read_text(encoding="utf8"))
        made = {"version": theirs["version"], "lungs": theirs.get("lungs"), **theirs["preprocessing"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} cannot be read ({error}); delete {folder} and build it again.") from error
    asked = {"version": _VERSION, "lungs": mine.get("lungs"), **plain.as_dict()}
    other = [
        f"{key} {made.get(key)!r:.70}, not {asked[key]!r}" for key in asked if made.get(key) != asked[key]
    ]
    if other:
        raise InputError(
            f"{folder} was decoded with {'; '.join(other)}: the preprocessing has changed. Give another "
            "folder, or delete this one."
        )


def _stale(part: Sequence[Path], shard: Shard | None) -> list[int]:
    """The rows of a part that its shard does not hold as the files are now."""
    if shard is None or shard.reader != reading_version() or not shard.whole():
        return list(range(len(part)))
    rows = shard.rows
    return [at for at, path in enumerate(part) if at >= len(rows) or not _unchanged(path, rows[at])]


def _unchanged(path: Path, row: Row) -> bool:
    if row.problem or row.path != str(path):
        return False
    return row.stamp.holds(path) or sha256_or_empty(path) == row.sha256


def _begin(part: Sequence[Path], old: Shard | None, side: int) -> tuple[np.ndarray, list[Row | None]]:
    """Room for a part, with what can be kept of the shard that was there."""
    pixels = np.zeros((len(part), side, side), np.uint8)
    known: list[Row | None] = [None] * len(part)
    if old is not None:
        kept = min(len(part), len(old.rows))
        pixels[:kept] = old.pixels[:kept]
        known[:kept] = old.rows[:kept]
    return pixels, known


def _decode(path: Path, plain: Preprocessing) -> tuple[np.ndarray | int, Row]:
    """One image in bytes, or 0 and why not. Nothing a file may do gets out of here."""
    stamp = stamp_of(path)
    try:
        # A crop or a histogram would be of another film if it were decoded smaller.
        shrinks = (plain.crop, plain.window, plain.contrast) == ("none", 0, "none")
        film = read_image(path, for_side=plain.size if shrinks else None)
        bytes_ = np.rint(plain(film.pixels)[0].numpy() * 255).clip(0, 255).astype(np.uint8)
    except InputError as error:
        return 0, Row(str(path), stamp, "", str(error))
    except Exception as error:  # a decoder's own fault, out of memory, a file that vanished
        reason = f"{path.name}: it could not be decoded ({type(error).__name__}: {error})."
        return 0, Row(str(path), stamp, "", reason)
    return bytes_, Row(str(path), stamp, film.sha256, "")
