"""Decoded radiographs as one memory-mapped block that every epoch reads."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cxrbench import augment, data
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.training.objective.sampling import Shown

__all__ = ["Batch", "Images", "Sample", "decode"]

Sample = tuple[Tensor, Tensor, int]
# Images (B, 1, S, S), targets (B, L), and which of the training images they are (B,).
Batch = tuple[Tensor, Tensor, Tensor]

# Share of images that may be unreadable before a run is refused.
_TOLERATED = 0.01


def decode(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> data.Cache:
    """Images as the network sees them, before mean and std, in bytes on disk: built, or brought up to date.

    Each list of images and each recipe has a cache of its own (`cxrbench.data.build_cache`), so that two runs
    share what they have in common.

    Args:
        paths: of the images.
        preprocessing: all but mean and std is used.
        folder: where caches are kept.
        workers: threads; decoding leaves Python's lock. None takes one per core.
        progress: called with (done, all).
        say: told which images are left out, if any.

    Returns:
        (N, size, size) uint8, memory-mapped, read-only. An image that cannot be read is black there, and has
        no say in training (``Images``).

    Raises:
        InputError: more than one image in a hundred cannot be read: that is no bad file, but a wrong folder.
    """
    plain = replace(preprocessing, mean=0.0, std=1.0)
    cache = data.build_cache(paths, plain, folder / _key(paths, plain), workers=workers, progress=progress)
    if problems := cache.problems:
        shown = ", ".join(str(problem.path) for problem in problems[:5]) + (" …" if len(problems) > 5 else "")
        told = f"{len(problems)} of {len(paths)} images cannot be read: {shown}"
        if len(problems) > _TOLERATED * len(paths):
            raise InputError(f"{told}; restore them or take them out of the table.")
        if say:
            say(f"{told}; they are left out.")
    return cache


def _key(paths: Sequence[Path], preprocessing: Preprocessing) -> str:
    names = "\n".join(map(str, paths))
    return hashlib.sha256(f"{preprocessing.key()}\n{names}".encode()).hexdigest()[:24]


class Images(Dataset[Sample]):
    """Decoded radiographs with their targets: item → image (1, S, S) float32, targets (L,), index.

    An item is an index, or (index, draw): the draw numbers the passes over the data. The augmentation is a
    function of (seed, draw, index) alone, so it is the same in any process, in any order, and after a resume.

    Args:
        pixels: (N, S, S) uint8, as ``decode`` gives them.
        targets: (N, L) in [0, 1] or NaN; −1 for a loss of three classes. NaN where the image could not be
            decoded: what is black by mistake teaches nothing.
        preprocessing: its mean and std are applied.
        augmentation: of training images; None for none.
        seed: of the augmentation.
        shown: which images these are, with copies, and how likely each is drawn; by default all, once.
        names: (N,) of the images, for messages; empty where they have none.
    """

    def __init__(
        self,
        pixels: np.ndarray | data.Cache,
        targets: Tensor,
        preprocessing: Preprocessing,
        *,
        augmentation: augment.Augmentation | None = None,
        seed: int = 0,
        shown: Shown | None = None,
        names: Sequence[str] = (),
    ) -> None:
        shown = shown or Shown()
        if isinstance(pixels, data.Cache) and pixels.problems:
            targets = targets.clone()
            targets[torch.from_numpy(~pixels.usable)] = torch.nan
        self.pixels = pixels
        self.rows = np.arange(len(pixels)) if shown.rows is None else shown.rows
        self.targets = targets if shown.rows is None else targets[torch.from_numpy(shown.rows)]
        self.weights = shown.weights
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = seed
        # Without augmentation a byte always becomes the same number: 256 of them, instead of every pixel.
        greys = np.arange(256, dtype=np.uint8)[None]
        self._table = self._normalised(augment.apply(greys, augment.Draw()))[0]
        self.names = names

    def __len__(self) -> int:
        return len(self.rows)

    def _normalised(self, image: np.ndarray) -> np.ndarray:
        image -= self.preprocessing.mean
        image /= self.preprocessing.std
        return image

    def __getitem__(self, item: int | tuple[int, int]) -> Sample:
        index, draw = item if isinstance(item, tuple) else (item, 0)
        pixels = np.asarray(self.pixels[self.rows[index]])
        if self.augmentation:
            change = self.augmentation.draw(np.random.default_rng((self.seed, draw, index)))
            image = self._normalised(augment.apply(pixels, change))
        else:
            image = self._table.take(pixels)
        return torch.from_numpy(image)[None], self.targets[index], int(self.rows[index])
