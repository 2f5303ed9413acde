"""A run that is killed again and again, and one that is not: do they end with the same weights?

A child process is forked for every life of the run, so that no life waits for imports; it trains with the
library's own Engine and is killed with SIGKILL at a random moment: within a step, a save, a validation.
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
    """What came of it.

    Args:
        kills: how often the run was killed before it ended.
        same: whether its weights are those of the undisturbed run, bit for bit.
        seconds: of the undisturbed run.
    """

    kills: int
    same: bool
    seconds: float


class Small(nn.Sequential):
    """A norm with statistics, and dropout: buffers and the random generator have to survive too."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        end = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, len(LABELS)))
        super().__init__(*layers, *end)


def recipe(epochs: int) -> TrainConfig:
    """Two phases; a checkpoint every other step."""
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
    """Noise with two findings in it."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (count, 2))
    pixels = rng.integers(0, 90, (count, size, size)) + 60 * targets[:, :1, None]
    pixels[:, :, : size // 2] += 60 * targets[:, 1:, None]
    known = torch.from_numpy(targets).float()
    return Images(pixels.astype(np.uint8), known, Preprocessing(size=size), augmentation=augmentation)


def live(folder: Path, config: TrainConfig) -> None:
    """One life of the run: from its last checkpoint, or from the start, to the end."""
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


def one_life(folder: Path, config: TrainConfig, seconds: float | None) -> bool:
    """Start it; kill it after so many seconds. Whether it was killed before its end."""
    process = multiprocessing.get_context("fork").Process(target=live, args=(folder, config))
    process.start()
    process.join(seconds)
    if process.is_alive() and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def survive(kills: int, *, seed: int = 0, epochs: int = 6) -> Survival:
    """Kill a run so many times, let it end, and compare it with an undisturbed one.

    Args:
        kills: moments, drawn so that the run makes some way between them, and begins anew several times.
        seed: of the moments.
        epochs: of each phase.
    """
    config, moments = recipe(epochs), random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        undisturbed, killed = Path(scratch) / "undisturbed", Path(scratch) / "killed"
        start = time.perf_counter()
        one_life(undisturbed, config, None)
        seconds = time.perf_counter() - start
        done = 0
        while done < kills and not (killed / "ended").exists():
            # Until a checkpoint is resumed some time goes by; then up to a tenth of the run.
            done += one_life(killed, config, seconds * (0.02 + 0.1 * moments.random()))
        while not (killed / "ended").exists():
            one_life(killed, config, None)
        same = (killed / "ended").read_text() == (undisturbed / "ended").read_text()
    return Survival(done, same, seconds)
