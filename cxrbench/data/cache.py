"""Cache of decoded images: memory-mapped shards of network inputs, resumable, checked."""

import json
import math
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
from cxrbench.data.shards import CachedImage, Shard, read_shard, write_shard
from cxrbench.data.studies import Problem
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import write_text

__all__ = ["Cache", "build_cache", "open_cache"]

_VERSION: Final = 1
_MANIFEST: Final = "cache.json"
# An interruption loses at most one shard, and a shard is hashed as a whole: a few seconds of work.
_SHARD_BYTES: Final = 2**26

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Cache:
    """Decoded images in the order of their paths: ``cache[i]`` is (H, W) uint8, ``cache[rows]`` (n, H, W).

    An image that could not be decoded is black, listed in ``problems``, and False in ``usable``.

    Args:
        folder: of the cache.
        shards: its parts, memory-mapped, read-only.
        preprocessing: without mean and standard deviation, which are applied when a batch is made.
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
        """(N, H, W)."""
        return len(self), *self.preprocessing.input_shape

    @property
    def problems(self) -> list[Problem]:
        """The images that could not be decoded, and why, in order."""
        return [Problem(Path(row.path), row.problem) for row in self._rows() if row.problem]

    @property
    def usable(self) -> np.ndarray:
        """(N,) bool: the image was decoded."""
        return np.array([not row.problem for row in self._rows()], bool)

    def __getitem__(self, index: Any) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            position = range(self._count)[index]  # also negative ones; raises IndexError past the end
            shard, row = divmod(position, len(self.shards[0].rows))
            image: np.ndarray = self.shards[shard].pixels[row]
            return image
        rows = np.arange(len(self))[index]
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)
        shards, shard_rows = np.divmod(rows, len(self.shards[0].rows))
        for shard in np.unique(shards):
            in_shard = shards == shard
            out[in_shard] = self.shards[shard].pixels[shard_rows[in_shard]]
        return out

    def verify(self) -> list[Problem]:
        """Hash every shard and every image file again; return what has changed since, and how."""
        problems = [
            Problem(shard.path, "the shard's bytes have changed")
            for shard in self.shards
            if not shard.whole()
        ]
        for row in self._rows():
            path = Path(row.path)
            if not row.problem and sha256_or_empty(path) != row.sha256:
                problems.append(Problem(path, "the file is missing, or has changed since it was decoded"))
        return problems

    @cached_property
    def _count(self) -> int:
        return sum(len(shard.rows) for shard in self.shards)

    def _rows(self) -> list[CachedImage]:
        return [row for shard in self.shards for row in shard.rows]


def build_cache(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Cache:
    """Decode images into a folder, or update one: only new and changed images are decoded.

    An image counts as unchanged if size and times of its file are as before, or else if its bytes have the
    same SHA-256; one that could not be read is tried again. A shard whose own bytes have changed, or that
    was made by other reading code, is built again. Large JPEGs are decoded at a half, a quarter or an eighth
    of their size where the preprocessing only shrinks them (`cxrbench.data.raster.decoder_scale`). Storing
    bytes changes a pixel by at most 1/510 of the grey scale.

    Args:
        paths: of the images.
        preprocessing: fit, size, interpolation, crop and contrast are used.
        folder: created if missing; an interrupted build continues after its last complete shard.
        workers: threads; decoding releases Python's global lock. None uses one per core.
        progress: called with (done, total) after each image that is decoded.

    Returns:
        The cache. A file that cannot be read does not stop the build: it is in ``problems``.

    Raises:
        InputError: the folder holds a cache of another preprocessing, or none of the images can be read.
    """
    unscaled = replace(preprocessing, mean=0.0, std=1.0)
    folder.mkdir(parents=True, exist_ok=True)
    _check_manifest(folder, unscaled)
    length = max(16, _SHARD_BYTES // math.prod(unscaled.input_shape))
    parts = [paths[start : start + length] for start in range(0, len(paths), length)]
    stale = [_stale_rows(part, read_shard(_shard_path(folder, number))) for number, part in enumerate(parts)]
    total, done = len(paths), len(paths) - sum(map(len, stale))
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for number, (part, rows) in enumerate(zip(parts, stale, strict=True)):
            shard_path, old = _shard_path(folder, number), read_shard(_shard_path(folder, number))
            if not rows and old is not None and len(old.rows) == len(part):
                continue
            pixels, records = _start_shard(part, old, unscaled.input_shape)
            results = pool.map(lambda row, part=part: _decode(part[row], unscaled), rows)
            unchanged = old is not None and len(old.rows) == len(part)
            for row, (image, record) in zip(rows, results, strict=True):
                unchanged = unchanged and bool(record.problem) and record == records[row]
                pixels[row], records[row] = image, record
                done += 1
                if progress:
                    progress(done, total)
            if not unchanged:  # else the same files still cannot be read
                write_shard(shard_path, pixels, [record for record in records if record is not None])
    for surplus in folder.glob("shard-*.npy"):  # of an earlier, longer list of images
        if int(surplus.stem.partition("-")[2]) >= len(parts):
            surplus.unlink()
            surplus.with_suffix(".json").unlink(missing_ok=True)
    cache = open_cache(folder, preprocessing)
    if len(cache) and not cache.usable.any():
        raise InputError(f"None of {len(cache)} images can be read; the first: {cache.problems[0].reason}")
    return cache


def open_cache(folder: Path, preprocessing: Preprocessing) -> Cache:
    """Open a cache as it was built; its image files are not checked.

    Raises:
        InputError: there is none, it is of another preprocessing, or a shard is missing or of another size.
    """
    unscaled = replace(preprocessing, mean=0.0, std=1.0)
    if not (folder / _MANIFEST).is_file():
        raise InputError(f"{folder} holds no cache of images; build one with build_cache.")
    _check_manifest(folder, unscaled)
    numbers = sorted(int(path.stem.partition("-")[2]) for path in folder.glob("shard-*.npy"))
    shards = [read_shard(_shard_path(folder, number)) for number in numbers]
    complete = [shard for shard in shards if shard is not None]
    if numbers != list(range(len(numbers))) or len(complete) < len(shards):
        raise InputError(
            f"{folder} lacks a part of its cache; build it again with build_cache: complete parts are kept."
        )
    return Cache(folder, tuple(complete), unscaled)


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05}.npy"


def _check_manifest(folder: Path, unscaled: Preprocessing) -> None:
    """Write how a new cache is preprocessed, or refuse a cache of another preprocessing."""
    file = folder / _MANIFEST
    manifest = {"version": _VERSION, "preprocessing": unscaled.as_dict()}
    if unscaled.crop == "lungs":
        manifest["lungs"] = sha256_or_empty(assets.lungs() / "model.safetensors")
    if not file.is_file():
        write_text(file, json.dumps(manifest, indent=2) + "\n")
        return
    try:
        stored = json.loads(file.read_text(encoding="utf8"))
        built = {"version": stored["version"], "lungs": stored.get("lungs"), **stored["preprocessing"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} cannot be read ({error}); delete {folder} and build it again.") from error
    expected = {"version": _VERSION, "lungs": manifest.get("lungs"), **unscaled.as_dict()}
    differences = [
        f"{key} {built.get(key)!r:.70}, not {expected.get(key)!r}"
        for key in expected | built
        if built.get(key) != expected.get(key)
    ]
    if differences:
        raise InputError(
            f"{folder} was decoded with {'; '.join(differences)}: the preprocessing has changed. Give "
            "another folder, or delete this one."
        )


def _stale_rows(part: Sequence[Path], shard: Shard | None) -> list[int]:
    """Rows of a part whose files are not in its shard, or have changed since."""
    if shard is None or shard.reader != reading_version() or not shard.whole():
        return list(range(len(part)))
    rows = shard.rows
    return [row for row, path in enumerate(part) if row >= len(rows) or not _is_unchanged(path, rows[row])]


def _is_unchanged(path: Path, record: CachedImage) -> bool:
    if record.problem or record.path != str(path):
        return False
    return record.stamp.holds(path) or sha256_or_empty(path) == record.sha256


def _start_shard(
    part: Sequence[Path], old: Shard | None, shape: tuple[int, int]
) -> tuple[np.ndarray, list[CachedImage | None]]:
    """Pixels and sources of a shard to be filled; they start with those of the old shard."""
    pixels = np.zeros((len(part), *shape), np.uint8)
    records: list[CachedImage | None] = [None] * len(part)
    if old is not None:
        kept = min(len(part), len(old.rows))
        pixels[:kept] = old.pixels[:kept]
        records[:kept] = old.rows[:kept]
    return pixels, records


def _decode(path: Path, unscaled: Preprocessing) -> tuple[np.ndarray | int, CachedImage]:
    """One image as bytes, or 0 and the reason: whatever a decoder raises is recorded, not passed on."""
    stamp = stamp_of(path)
    try:
        # A crop or a histogram of a smaller decoded picture would be another one.
        shrinks = (unscaled.crop, unscaled.window, unscaled.contrast) == ("none", 0, "none")
        film = read_image(path, for_side=max(unscaled.input_shape) if shrinks else None)
        bytes_ = np.rint(unscaled(film.pixels)[0].numpy() * 255).clip(0, 255).astype(np.uint8)
    except InputError as error:
        return 0, CachedImage(str(path), stamp, "", str(error))
    except Exception as error:  # a fault of the decoder, out of memory, a file deleted meanwhile
        reason = f"{path.name}: it could not be decoded ({type(error).__name__}: {error})."
        return 0, CachedImage(str(path), stamp, "", reason)
    return bytes_, CachedImage(str(path), stamp, film.sha256, "")
