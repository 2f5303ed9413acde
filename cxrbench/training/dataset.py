"""Decoded radiographs with their targets, as a memory-mapped array."""

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
from cxrbench.training.objective.sampling import Selection

__all__ = ["Batch", "Images", "Sample", "decode"]

Sample = tuple[Tensor, Tensor, int]
# Images (B, 1, H, W), targets (B, L), and indices of the training images (B,).
Batch = tuple[Tensor, Tensor, Tensor]

# Largest share of images that may be unreadable.
_MAX_UNREADABLE = 0.01


def decode(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> data.Cache:
    """Decode and preprocess images, without mean and std, into a cache on disk, or update the cache.

    The cache is specific to the list of images and the preprocessing (`cxrbench.data.build_cache`), so that
    runs with the same ones share it.

    Args:
        paths: of the images.
        preprocessing: applied without mean and std.
        folder: of the caches.
        workers: number of threads; None for one per core.
        progress: called with (done, total).
        say: called with a message about unreadable images, if any.

    Returns:
        (N, H, W) uint8, memory-mapped, read-only. An unreadable image is black, and ignored in
        training (``Images``).

    Raises:
        InputError: more than 1 % of the images cannot be read.
    """
    plain = replace(preprocessing, mean=0.0, std=1.0)
    cache = data.build_cache(paths, plain, folder / _key(paths, plain), workers=workers, progress=progress)
    if problems := cache.problems:
        listed = ", ".join(str(problem.path) for problem in problems[:5]) + (
            " …" if len(problems) > 5 else ""
        )
        message = f"{len(problems)} of {len(paths)} images cannot be read: {listed}"
        if len(problems) > _MAX_UNREADABLE * len(paths):
            raise InputError(f"{message}; restore them or remove them from the table.")
        if say:
            say(f"{message}; they are ignored.")
    return cache


def _key(paths: Sequence[Path], preprocessing: Preprocessing) -> str:
    names = "\n".join(map(str, paths))
    return hashlib.sha256(f"{preprocessing.key()}\n{names}".encode()).hexdigest()[:24]


class Images(Dataset[Sample]):
    """Decoded radiographs with their targets: item → image (1, H, W) float32, targets (L,), index.

    An item is an index, or (index, draw), where draw is the number of the pass over the data. The
    augmentation depends on (seed, draw, index) only, so it is the same in any process, in any order, and
    after a resume.

    Args:
        pixels: (N, H, W) uint8, as ``decode`` gives them.
        targets: (N, L) in [0, 1] or NaN; −1 for the three-class loss. Set to NaN for unreadable images.
        preprocessing: its mean and std are applied.
        augmentation: of training images; None for none.
        seed: of the augmentation.
        selection: rows and sampling weights; by default every image once.
        names: (N,) of the images, for messages; may be empty.
    """

    def __init__(
        self,
        pixels: np.ndarray | data.Cache,
        targets: Tensor,
        preprocessing: Preprocessing,
        *,
        augmentation: augment.Augmentation | None = None,
        seed: int = 0,
        selection: Selection | None = None,
        names: Sequence[str] = (),
    ) -> None:
        selection = selection or Selection()
        if isinstance(pixels, data.Cache) and pixels.problems:
            targets = targets.clone()
            targets[torch.from_numpy(~pixels.usable)] = torch.nan
        self.pixels = pixels
        self.rows = np.arange(len(pixels)) if selection.rows is None else selection.rows
        self.targets = targets if selection.rows is None else targets[torch.from_numpy(selection.rows)]
        self.weights = selection.weights
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = seed
        # Without augmentation a look-up table of 256 values replaces arithmetic on every pixel.
        grey_values = np.arange(256, dtype=np.uint8)[None]
        self._table = self._normalised(augment.apply(grey_values, augment.Draw()))[0]
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
