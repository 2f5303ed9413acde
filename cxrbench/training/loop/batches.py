"""The batches of an epoch: which images in which order, mixed with each other where the recipe says so."""

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
    """The batches that an epoch still lacks.

    Args:
        config: the recipe.
        phase: the phase of this epoch.
        train: the training images.
        position: where the run stands.
    """
    # The draw numbers passes over the data across phases, so that no two passes are augmented alike.
    draw = sum(each.epochs for each in config.phases[: position.phase]) + position.epoch
    batches = Batches(
        len(train), phase.batch, seed=config.seed, draw=draw, start=position.step, weights=train.weights
    )
    # A loader draws a seed whenever it starts: from its own generator, or a resume would shift dropout.
    own = torch.Generator()
    collate = mixing(augment.Mixup(config.mixup), config.seed) if config.mixup else None
    return DataLoader(
        train, batch_sampler=batches, num_workers=config.workers, generator=own, collate_fn=collate
    )


def mixing(mixup: augment.Mixup, seed: int) -> Callable[[list[Sample]], Batch]:
    """How samples become a batch whose images are mixed with each other, and their targets alike.

    Who is mixed with whom is a function of the seed and of the images in the batch, so it is the same in any
    process and after a resume. Of several processes, each mixes its share of the batch.
    """

    def collate(samples: list[Sample]) -> Batch:
        images, targets, indices = default_collate(samples)
        blend = mixup.draw(np.random.default_rng((seed, *indices.tolist())), len(indices))
        mixed = blend.images(images.numpy()), blend.targets(targets.numpy())
        return torch.from_numpy(mixed[0]), torch.from_numpy(mixed[1]), indices

    return collate


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
