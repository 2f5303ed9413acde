"""The batches of an epoch: order, sampling and mixup."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler, default_collate

from cxrbench import augment
from cxrbench.training.config import Phase, TrainConfig
from cxrbench.training.dataset import Batch, Images, Sample
from cxrbench.training.loop.progress import Position

__all__ = ["Batches", "mixing", "remaining"]


def remaining(config: TrainConfig, phase: Phase, train: Images, position: Position) -> DataLoader[Sample]:
    """The remaining batches of an epoch.

    Args:
        config: the recipe.
        phase: the phase of this epoch.
        train: the training images.
        position: of the run.
    """
    # Passes over the data are numbered across phases, so that no two have the same augmentation.
    draw = sum(each.epochs for each in config.phases[: position.phase]) + position.epoch
    batches = Batches(
        len(train), phase.batch, seed=config.seed, draw=draw, start=position.step, weights=train.weights
    )
    # A loader draws a seed when it starts: from its own generator, or a resume would change dropout.
    generator = torch.Generator()
    collate = mixing(augment.Mixup(config.mixup), config.seed) if config.mixup else None
    return DataLoader(
        train, batch_sampler=batches, num_workers=config.workers, generator=generator, collate_fn=collate
    )


def mixing(mixup: augment.Mixup, seed: int) -> Callable[[list[Sample]], Batch]:
    """A collate function that applies mixup to images and targets.

    The partners depend on the seed and on the images in the batch only, so they are the same after a resume.
    With several processes, each one mixes its share of the batch.
    """

    def collate(samples: list[Sample]) -> Batch:
        images, targets, indices = default_collate(samples)
        blend = mixup.draw(np.random.default_rng((seed, *indices.tolist())), len(indices))
        mixed = blend.images(images.numpy()), blend.targets(targets.numpy())
        return torch.from_numpy(mixed[0]), torch.from_numpy(mixed[1]), indices

    return collate


class Batches(Sampler[list[tuple[int, int]]]):
    """Batches of one pass, from a given one on, in an order determined by (seed, draw).

    The last batch is dropped if it is partial.

    With ``weights`` (N,), images are drawn with replacement, with these probabilities.
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
        self.order = random.permutation(count) if weights is None else random.choice(count, count, p=weights)
        # accelerate reads these two to split batches between processes.
        self.batch_size, self.drop_last = min(batch, count), True
        self.draw, self.start = draw, start

    def __len__(self) -> int:
        return len(self.order) // self.batch_size - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.start + len(self)):
            chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
            yield [(int(index), self.draw) for index in chosen]
