"""Overhead of the training loop, speed of each shipped backbone, and recovery of killed runs.

    python -m benchmarks.training                    # some minutes
    python -m benchmarks.training --json FILE

step_overhead is the time of an epoch of the library's Engine divided by that of the same epoch in plain
PyTorch, with the same images, loader, loss, clipping, optimizer and average of the weights. The two
alternate, and the ratio is of the medians, so that other work on the machine slows both. For kills see
``benchmarks/kills.py``.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.kills import survive
from cxrbench.labels import CHEXPERT
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.training import Batches, DataConfig, Engine, Images, Phase, TrainConfig, masked_bce
from cxrbench.training.loop.progress import Clock, Position
from cxrbench.training.loop.schedule import parameter_groups
from cxrbench.writing import write_text

SIZE: Final = 128
BATCH: Final = 8


def noise(count: int, size: int) -> Images:
    """Images of noise: time does not depend on their content."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
    targets = torch.from_numpy(rng.integers(0, 2, (count, len(CHEXPERT)))).float()
    return Images(pixels, targets, Preprocessing(size=size))


def config(architecture: str, size: int) -> TrainConfig:
    """A recipe without checkpoints within the epoch."""
    phase = Phase(size, 1000, BATCH, 1e-4)
    return TrainConfig("bench", architecture, DataConfig("none"), (phase,), checkpoint_steps=10**9)


def engine_epoch(train: Images, folder: Path) -> Callable[[], None]:
    """A function that runs one epoch of the library's loop."""
    recipe = config("efficientnet_b0", SIZE)
    engine = Engine(random_model("efficientnet_b0", SIZE), recipe, folder, say=lambda line: None)

    def epoch() -> None:
        engine.run.position = Position()
        engine._epoch(recipe.phases[0], train, Clock.at(Position(), recipe.phases, len(train)))

    return epoch


def bare_epoch(train: Images) -> Callable[[], None]:
    """A function that runs the same epoch in plain PyTorch."""
    recipe = config("efficientnet_b0", SIZE)
    model = random_model("efficientnet_b0", SIZE).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe.weight_decay), lr=1e-4)
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def epoch() -> None:
        model.train()
        sampler = Batches(len(train), BATCH, seed=0, draw=0)
        for images, targets, _ in DataLoader(train, batch_sampler=sampler):
            logits = model(images.contiguous(memory_format=torch.channels_last))
            loss = masked_bce(logits, targets)
            loss.item()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            state = model.state_dict()
            floats = [name for name, value in average.items() if value.is_floating_point()]
            with torch.no_grad():
                torch._foreach_lerp_([average[n] for n in floats], [state[n] for n in floats], 0.01)

    return epoch


def random_model(architecture: str, size: int) -> nn.Module:
    """A network with random weights."""
    return create(architecture, CHEXPERT, preprocessing=Preprocessing(size=size))


def overhead(rounds: int, steps: int) -> dict[str, Any]:
    """Times per step of both loops, and their ratio."""
    train = noise(BATCH * steps, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        jobs = {"engine": engine_epoch(train, Path(folder)), "bare": bare_epoch(train)}
        times: dict[str, list[float]] = {name: [] for name in jobs}
        for turn in range(rounds + 1):
            for name in list(jobs)[:: 1 if turn % 2 else -1]:
                start = time.perf_counter()
                jobs[name]()
                if turn:  # the first round warms up
                    times[name].append((time.perf_counter() - start) / steps)
    ours, theirs = (statistics.median(times[name]) for name in jobs)
    return {"step_overhead": ours / theirs, "step_seconds": ours, "bare_step_seconds": theirs}


def throughput(steps: int) -> dict[str, float]:
    """Training speed of each shipped architecture at its own image size, in images per second."""
    specs = {entry.spec.architecture: entry.spec for entry in hub.scan() if entry.spec}
    speeds = {}
    for architecture, spec in specs.items():
        size = max(spec.preprocessing.input_shape)
        with tempfile.TemporaryDirectory() as folder:
            recipe = config(architecture, size)
            engine = Engine(random_model(architecture, size), recipe, Path(folder), say=lambda line: None)
            images, targets, rows = next(iter(DataLoader(noise(BATCH, size), batch_size=BATCH)))
            engine.learner.train_mode()
            times = []
            for _ in range(steps + 1):
                start = time.perf_counter()
                engine.learner.step(recipe.phases[0], (images, targets, rows), 1e-4)
                times.append(time.perf_counter() - start)
        speeds[architecture] = BATCH / statistics.median(times[1:])
        print(f"{architecture:24} {speeds[architecture]:8.2f} images/s at {size}²", flush=True)
    return speeds


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7, help="number of pairs of epochs")
    parser.add_argument("--steps", type=int, default=6, help="steps per epoch")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    survival = survive(options.kills)
    print(f"killed {survival.kills} times, same weights: {survival.same}", flush=True)
    results = overhead(options.rounds, options.steps)
    print(f"step_overhead {results['step_overhead']:.3f}", flush=True)
    results |= {
        "kills": survival.kills,
        "kills_survived": survival.kills if survival.same else 0,
        "images_per_second": throughput(3),
        "threads": options.threads,
    }
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")
    sys.exit(0 if survival.same else 1)


if __name__ == "__main__":
    main()
