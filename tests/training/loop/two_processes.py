"""A small recipe under torchrun or alone: leaves the averaged weights, the history and all scores.

    torchrun --nproc_per_node 2 two_processes.py FOLDER exact|plain

The network has a batch norm, and the targets are known in places only: what makes processes differ from one.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Engine, Images, Phase, TrainConfig, scores_of

SIZE = 16


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        # No biases: before a norm their gradient is 0 but for rounding, and AdamW makes steps of that.
        nn.Conv2d(1, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(128, 3),
    )


def images(count: int) -> Images:
    rng = np.random.default_rng(count)
    targets = rng.integers(0, 2, (count, 3)).astype(np.float32)
    pixels = rng.integers(0, 100, (count, SIZE, SIZE)) + 50 * targets[:, :1, None]
    targets[rng.random(targets.shape) < 0.4] = np.nan
    return Images(pixels.astype(np.uint8), torch.from_numpy(targets), Preprocessing(size=SIZE))


def train(folder: Path, exact: bool) -> dict[str, Any]:
    """Weights and scores, the scores in the order of the 23 validation images, by every process."""
    phase = Phase(SIZE, 3, 8, 3e-3)
    config = TrainConfig("two", "none", DataConfig("x"), (phase,), labels=("A", "B", "C"), exact=exact)
    valid = images(23)
    engine = Engine(network(), config, folder, say=lambda line: None)
    epochs = engine.fit(lambda size: (images(40), valid))
    scores = scores_of(engine.learner.bare, valid, batch=6, accelerator=engine.accelerator)
    return {
        "best": engine.best(),
        "scores": torch.from_numpy(scores),
        "alone": torch.from_numpy(scores_of(engine.learner.bare, valid, batch=6)),
        "losses": [epoch.loss for epoch in epochs],
        "processes": engine.accelerator.num_processes,
    }


if __name__ == "__main__":
    out = Path(sys.argv[1])
    made = train(out / "state", sys.argv[2] == "exact")
    torch.save(made, out / f"made{torch.distributed.get_rank()}.pt")
