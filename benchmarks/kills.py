"""A run that is killed repeatedly and one that is not: do they end with the same weights?

One child process is forked per attempt, so that no attempt waits for imports; it trains with the library's
Engine and is killed with SIGKILL at a random time: within a step, a save or a validation.
"""

import hashlib
import multiprocessing
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxrbench.augment import Augmentation
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Engine, Images, Phase, TrainConfig

LABELS = ("Bright", "Left")


@dataclass(frozen=True)
class Survival:
    """The result of a run that was killed repeatedly.

    Args:
        kills: number of times that the run was killed before it ended.
        same: whether its weights equal those of the uninterrupted run, bit for bit.
        seconds: duration of the uninterrupted run.
    """

    kills: int
    same: bool
    seconds: float


class Small(nn.Sequential):
    """A network with batch norms and dropout: buffers and the random generator must be restored too."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        end = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, len(LABELS)))
        super().__init__(*layers, *end)


def recipe(epochs: int) -> TrainConfig:
    """A recipe of two phases, with a checkpoint every two steps."""
    phases = (Phase(32, epochs, 8, 3e-3), Phase(48, epochs, 8, 1e-3))
    change = Augmentation(degrees=5)
    return TrainConfig(
        "small",
        "none",
        DataConfig("none"),
        phases,
        labels=LABELS,
        augmentation=change,
        checkpoint_steps=2,
    )


def images(size: int, count: int, seed: int, augmentation: Augmentation | None) -> Images:
    """Images of noise with two findings."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (count, 2))
    pixels = rng.integers(0, 90, (count, size, size)) + 60 * targets[:, :1, None]
    pixels[:, :, : size // 2] += 60 * targets[:, 1:, None]
    known = torch.from_numpy(targets).float()
    return Images(pixels.astype(np.uint8), known, Preprocessing(size=size), augmentation=augmentation)


def train(folder: Path, config: TrainConfig) -> None:
    """Train from the last checkpoint, or from the start, to the end."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    def split(size: int) -> tuple[Images, Images]:
        return images(size, 66, 1, config.augmentation), images(size, 24, 2, None)

    engine = Engine(Small(), config, folder, say=lambda line: None)
    engine.fit(split)
    digest = hashlib.sha256()
    for state in (engine.best(), engine.model.state_dict()):
        for value in state.values():
            digest.update(value.numpy().tobytes())
    draft = folder / "ended.part"
    draft.write_text(digest.hexdigest())
    draft.replace(folder / "ended")


def attempt(folder: Path, config: TrainConfig, seconds: float | None) -> bool:
    """Run in a child process and kill it after some seconds; whether it was killed before its end."""
    process = multiprocessing.get_context("fork").Process(target=train, args=(folder, config))
    process.start()
    process.join(seconds)
    if process.is_alive() and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def survive(kills: int, *, seed: int = 0, epochs: int = 6) -> Survival:
    """Kill a run several times, let it end, and compare it with an uninterrupted one.

    Args:
        kills: number of kills, at random times at which the run has made progress or has to start again.
        seed: seed of the times.
        epochs: epochs per phase.
    """
    config, draw = recipe(epochs), random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        uninterrupted, killed = Path(scratch) / "uninterrupted", Path(scratch) / "killed"
        start = time.perf_counter()
        attempt(uninterrupted, config, None)
        seconds = time.perf_counter() - start
        done = 0
        while done < kills and not (killed / "ended").exists():
            # Resuming from a checkpoint takes some time; then up to a tenth of the run.
            done += attempt(killed, config, seconds * (0.02 + 0.1 * draw.random()))
        while not (killed / "ended").exists():
            attempt(killed, config, None)
        same = (killed / "ended").read_text() == (uninterrupted / "ended").read_text()
    return Survival(done, same, seconds)
