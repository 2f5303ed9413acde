"""Radiographs, decoded once: a memory-mapped block of bytes that every epoch reads."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from cxrbench import augment, data
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.training.sampling import Shown

__all__ = ["Batches", "Images", "Sample", "decode"]

Sample = tuple[Tensor, Tensor, int]


def decode(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Images as the network sees them, before mean and std, in bytes on disk.

    The block's name is a hash of every path, its size and time of change, and the preprocessing, so a changed
    image or recipe is decoded afresh and two runs share what they have in common. Bytes cost the pixel at
    most 1/510 of the grey scale.

    Args:
        paths: of the images.
        preprocessing: fit, size and interpolation are used.
        folder: where blocks are kept.
        workers: threads; decoding leaves Python's lock. None takes one a core.
        progress: called with (done, all).

    Returns:
        (N, size, size) uint8, memory-mapped, read-only.

    Raises:
        InputError: images that are missing or cannot be read, all in one sentence.
    """
    plain = replace(preprocessing, mean=0.0, std=1.0)
    block = folder / f"{_key(paths, plain)}.npy"
    if not block.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = block.with_suffix(f".{os.getpid()}.part")
        shape = (len(paths), plain.size, plain.size)
        pixels = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
        _fill(pixels, paths, plain, workers, progress)
        pixels.flush()
        draft.replace(block)  # whole or not there: an interrupted run leaves no half block behind
    return np.load(block, mmap_mode="r")


def _key(paths: Sequence[Path], preprocessing: Preprocessing) -> str:
    digest = hashlib.sha256(json.dumps(preprocessing.as_dict(), sort_keys=True).encode())
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(_complaint("are not there", missing, len(paths)))
    for path in paths:
        stat = path.stat()
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _fill(
    pixels: np.ndarray,
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    def one(index: int) -> str:
        try:
            image = data.read_image(paths[index]).pixels
        except InputError:
            return str(paths[index])
        pixels[index] = np.rint(preprocessing(image)[0].numpy() * 255).clip(0, 255)
        return ""

    bad = []
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for done, failed in enumerate(pool.map(one, range(len(paths))), start=1):
            if failed:
                bad.append(failed)
            if progress:
                progress(done, len(paths))
    if bad:
        raise InputError(_complaint("cannot be read", bad, len(paths)))


def _complaint(what: str, bad: Sequence[str], total: int) -> str:
    shown = ", ".join(bad[:5]) + (" …" if len(bad) > 5 else "")
    return f"{len(bad)} of {total} images {what}: {shown}; restore them or take them out of the table."


class Images(Dataset[Sample]):
    """Decoded radiographs with their targets: item → image (1, S, S) float32, targets (L,), index.

    An item is an index, or (index, draw): the draw numbers the passes over the data. The augmentation is a
    function of (seed, draw, index) alone, so it is the same in any process, in any order, and after a resume.

    Args:
        pixels: (N, S, S) uint8, as ``decode`` gives them.
        targets: (N, L) in [0, 1] or NaN; −1 for a loss of three classes.
        preprocessing: its mean and std are applied.
        augmentation: of training images; None for none.
        seed: of the augmentation.
        shown: which images these are, with copies, and how likely each is drawn; by default all, once.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        targets: Tensor,
        preprocessing: Preprocessing,
        *,
        augmentation: augment.Augmentation | None = None,
        seed: int = 0,
        shown: Shown | None = None,
    ) -> None:
        shown = shown or Shown()
        self.pixels = pixels
        self.rows = np.arange(len(pixels)) if shown.rows is None else shown.rows
        self.targets = targets if shown.rows is None else targets[torch.from_numpy(shown.rows)]
        self.weights = shown.weights
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = seed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: int | tuple[int, int]) -> Sample:
        index, draw = item if isinstance(item, tuple) else (item, 0)
        change = augment.Draw()
        if self.augmentation:
            change = self.augmentation.draw(np.random.default_rng((self.seed, draw, index)))
        image = augment.apply(np.asarray(self.pixels[self.rows[index]]), change)
        image -= self.preprocessing.mean
        image /= self.preprocessing.std
        return torch.from_numpy(image)[None], self.targets[index], int(self.rows[index])


class Batches(Sampler[list[tuple[int, int]]]):
    """One pass in the order that (seed, draw) decide, from a given batch on; a short last one is dropped.

    With ``weights`` (N,), as many images are drawn with replacement, each by its chance.
    """

    def __init__(
        self,
        count: int,
        batch: int,
        *,
        seed: int,
        draw: int,
        start: int = 0,
        weights: np.ndarray | None = None,
    ) -> None:
        random = np.random.default_rng((seed, draw))
        drawn = random.permutation(count) if weights is None else random.choice(count, count, p=weights)
        self.order = drawn
        # accelerate shares a batch out between processes by these two.
        self.batch_size, self.drop_last = min(batch, count), True
        self.draw, self.start = draw, start

    def __len__(self) -> int:
        return len(self.order) // self.batch_size - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.start + len(self)):
            chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
            yield [(int(index), self.draw) for index in chosen]
