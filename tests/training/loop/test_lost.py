"""Interrupted runs: kills, a full disk, a loss of NaN, and a requested stop."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.kills import survive
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Engine, Images, Phase, TrainConfig
from cxrbench.training.run import checkpoint, history
from cxrbench.training.run.status import StopRequested

CONFIG = TrainConfig(
    "t", "none", DataConfig("x"), (Phase(8, 3, 4, 1e-2),), labels=("A", "B"), checkpoint_steps=2
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))


def split(size: int) -> tuple[Images, Images]:
    rng = np.random.default_rng(0)

    def images(count: int) -> Images:
        targets = torch.from_numpy(rng.integers(0, 2, (count, 2))).float()
        pixels = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
        names = [f"film{row}.png" for row in range(count)]
        return Images(pixels, targets, Preprocessing(size=size), names=names)

    return images(16), images(8)


def train(
    folder: Path,
    *,
    say: Callable[[str], None] = lambda line: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Engine:
    engine = Engine(network(), CONFIG, folder, say=say, should_stop=should_stop)
    engine.fit(split)
    return engine


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return train(tmp_path_factory.mktemp("undisturbed"))


def position(folder: Path) -> tuple[int, ...]:
    state = checkpoint.load(folder / "checkpoint.pt")
    assert state is not None
    found: tuple[int, ...] = state["position"]
    return found


def same(
    one: dict[str, torch.Tensor],
    other: dict[str, torch.Tensor],
) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_weights_of_an_uninterrupted_run() -> None:
    survival = survive(4, seed=1, epochs=3)
    assert survival.kills >= 3
    assert survival.same


def test_a_temporarily_full_disk_does_not_stop_training(
    tmp_path: Path, undisturbed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    calls, save = [0], torch.save

    def full(*arguments: Any, **options: Any) -> None:
        calls[0] += 1
        if 3 <= calls[0] <= 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(*arguments, **options)

    monkeypatch.setattr(torch, "save", full)
    engine = train(tmp_path, say=lines.append)
    assert sum("No space left" in line for line in lines) == 4
    assert same(undisturbed.learner.bare.state_dict(), engine.learner.bare.state_dict())
    assert position(tmp_path) == (1, 0, 0)
    assert len(history.read(tmp_path / "history.jsonl")) == 3


def test_on_a_full_disk_the_last_weights_are_returned(
    tmp_path: Path, undisturbed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    lines: list[str] = []
    engine = train(tmp_path, say=lines.append)
    assert same(engine.best(), undisturbed.learner.average.weights)
    assert "using those of the last epoch" in lines[-1]
    assert not list(tmp_path.glob("*.pt*"))


def test_a_loss_of_nan_names_the_images_and_keeps_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(network(), CONFIG, tmp_path, say=lambda line: None)
    step = engine.learner.step
    rows: list[list[int]] = []

    def broken(phase: Phase, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor], rate: float) -> float:
        if len(rows) == 5:
            images, targets, indices = batch
            rows.append(indices.tolist())
            return step(phase, (images * torch.nan, targets, indices), rate)
        rows.append(batch[2].tolist())
        return step(phase, batch, rate)

    monkeypatch.setattr(engine.learner, "step", broken)
    with pytest.raises(
        InputError, match=r"became nan in phase 1, epoch 2, step 2, with the training images film\d+"
    ):
        engine.fit(split)
    note = json.loads((tmp_path / "diverged.json").read_text())
    assert note["rows"] == rows[5]
    assert note["images"] == [f"film{row}.png" for row in rows[5]]
    assert position(tmp_path) == (0, 1, 0)
    assert all(bool(value.isfinite().all()) for value in engine.learner.bare.state_dict().values())


def test_a_run_stopped_on_request_resumes_to_the_same_weights(tmp_path: Path, undisturbed: Engine) -> None:
    steps = [0]

    def should_stop() -> bool:
        steps[0] += 1
        return steps[0] == 7

    with pytest.raises(StopRequested, match=r"phase 1 epoch 2/3 step 3/4; run the same command"):
        train(tmp_path, should_stop=should_stop)
    assert position(tmp_path) == (0, 1, 3)
    engine = train(tmp_path)
    assert same(undisturbed.best(), engine.best())
    assert same(undisturbed.learner.bare.state_dict(), engine.learner.bare.state_dict())
