import dataclasses
import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from cxrbench.augment import Augmentation
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Engine, Images, Phase, Position, TrainConfig
from cxrbench.training.loop.progress import Clock
from cxrbench.training.run import checkpoint, history

CONFIG = TrainConfig(
    name="tiny",
    architecture="none",
    data=DataConfig("nowhere"),
    labels=("Bright", "Left"),
    phases=(Phase(8, 3, 8, 3e-2), Phase(12, 2, 4, 1e-2)),
    augmentation=Augmentation(shift=0, scale=0, brightness=0.01),
    checkpoint_steps=2,
    ema=0.8,
)


class Tiny(nn.Sequential):
    """A few weights, a norm with statistics, and dropout, so that the state of the generator matters too."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        pooled = (nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 2))
        super().__init__(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), *pooled)


def split(size: int) -> tuple[Images, Images]:
    rng = np.random.default_rng(size)

    def images(count: int, augmentation: Augmentation | None) -> Images:
        bright, left = rng.integers(0, 2, (2, count))
        pixels = rng.integers(0, 60, (count, size, size)) + 60 * bright[:, None, None]
        pixels[:, :, : size // 2] += 80 * left[:, None, None]
        targets = torch.from_numpy(np.stack([bright, left], 1)).float()
        targets[::5, 0] = torch.nan
        recipe = Preprocessing(size=size)
        return Images(pixels.astype(np.uint8), targets, recipe, augmentation=augmentation, seed=CONFIG.seed)

    return images(37, CONFIG.augmentation), images(20, None)


class KilledError(Exception):
    pass


def run(folder: Path, config: TrainConfig = CONFIG, stop_after: int | None = None) -> Engine:
    """Train; with ``stop_after``, exit abruptly after this many steps."""
    engine = Engine(Tiny(), config, folder, say=lambda line: None)
    if stop_after is None:
        engine.fit(split)
        return engine
    step, left = engine._step, [stop_after]

    def until(*args: Any) -> float:
        if not left[0]:
            raise KilledError
        left[0] -= 1
        return step(*args)

    with mock.patch.object(engine, "_step", until):
        engine.fit(split)
    return engine


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return run(folder), folder


def test_training_reduces_the_loss(undisturbed: tuple[Engine, Path]) -> None:
    engine, folder = undisturbed
    epochs = history.read(folder / "history.jsonl")
    assert [(e.phase, e.epoch, e.size) for e in epochs] == [
        *[(0, epoch, 8) for epoch in range(3)],
        *[(1, epoch, 12) for epoch in range(2)],
    ]
    assert epochs[-1].mean_auroc > 0.9
    assert epochs[-1].loss < epochs[0].loss
    assert engine.run.position == Position(2)


@pytest.mark.parametrize("kills", [(0,), (1,), (5,), (3, 4), (12, 1, 9), (29,)])
def test_a_killed_and_resumed_run_ends_with_the_same_weights(
    tmp_path: Path, undisturbed: tuple[Engine, Path], kills: tuple[int, ...]
) -> None:
    for steps in kills:
        with pytest.raises(KilledError):
            run(tmp_path, stop_after=steps)
    resumed = run(tmp_path)
    whole, folder = undisturbed
    for (name, value), other in zip(whole.best().items(), resumed.best().values(), strict=True):
        assert torch.equal(value, other), name
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert (folder / "history.jsonl").read_text() == (tmp_path / "history.jsonl").read_text()


def test_a_finished_run_is_not_trained_again(undisturbed: tuple[Engine, Path]) -> None:
    engine, folder = undisturbed
    again = run(folder, stop_after=0)
    assert again.run.epochs == engine.run.epochs


def test_the_best_weights_are_those_of_the_best_epoch_of_the_last_phase(
    undisturbed: tuple[Engine, Path],
) -> None:
    engine, folder = undisturbed
    epochs = [epoch for epoch in history.read(folder / "history.jsonl") if epoch.phase == 1]
    model = Tiny()
    model.load_state_dict(engine.best())
    judge = Engine(model, CONFIG, folder / "judge", say=lambda line: None)
    found = judge._validate(CONFIG.phases[1], split(12)[1])
    assert np.mean(list(found.values())) == max(epoch.mean_auroc for epoch in epochs)


def test_a_broken_checkpoint_falls_back_to_the_previous_one(
    tmp_path: Path, undisturbed: tuple[Engine, Path]
) -> None:
    with pytest.raises(KilledError):
        run(tmp_path, stop_after=7)
    (tmp_path / "checkpoint.pt").write_bytes((tmp_path / "checkpoint.pt").read_bytes()[:1000])
    lines: list[str] = []
    engine = Engine(Tiny(), CONFIG, tmp_path, say=lines.append)
    engine.fit(split)
    assert "checkpoint.pt is broken" in lines[0]
    for name, value in undisturbed[0].best().items():
        assert torch.equal(value, engine.best()[name]), name


def test_a_full_disk_skips_the_checkpoint_and_training_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    lines: list[str] = []
    assert checkpoint.save({"step": 1}, path)
    monkeypatch.setattr(
        torch, "save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    assert not checkpoint.save({"step": 2}, path, say=lines.append)
    assert "No space left" in lines[0]
    assert checkpoint.load(path) == {"step": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.pt"]


def test_a_folder_with_a_run_of_another_recipe_is_refused(undisturbed: tuple[Engine, Path]) -> None:
    other = dataclasses.replace(CONFIG, seed=5)
    with pytest.raises(InputError, match="another recipe"):
        run(undisturbed[1], config=other)


def test_a_loss_of_nan_stops_training_and_names_the_batch(tmp_path: Path) -> None:
    train, valid = split(8)
    model = Tiny()
    with torch.no_grad():
        next(model.parameters()).fill_(torch.inf)
    engine = Engine(model, CONFIG, tmp_path, say=lambda line: None)
    with pytest.raises(
        InputError, match=r"loss became nan in phase 1, epoch 1, step 1, with the training images \d+, "
    ):
        engine.fit(lambda size: (train, valid))


def test_progress_states_position_and_remaining_time(tmp_path: Path) -> None:
    lines: list[str] = []
    Engine(Tiny(), CONFIG, tmp_path, say=lines.append).fit(split)
    assert "phase 1 epoch 1/3 step 1/4 loss" in lines[0]
    assert "left" in lines[0]
    assert any("phase 2 epoch 2/2 at 12²" in line for line in lines)


def test_the_history_is_json_and_reads_back(tmp_path: Path) -> None:
    epochs = [history.Epoch(0, 1, 8, 0.5, {"A": 0.7, "B": None})]
    history.write(epochs, tmp_path / "h.jsonl")
    assert json.loads((tmp_path / "h.jsonl").read_text())["auroc"] == {"A": 0.7, "B": None}
    assert history.read(tmp_path / "h.jsonl") == epochs
    assert history.read(tmp_path / "none.jsonl") == []
    assert epochs[0].mean_auroc == 0.7


def test_the_clock_counts_pixels_as_phases_differ_in_image_size() -> None:
    start, half = (Clock.at(at, CONFIG.phases, 37) for at in (Position(), Position(1, 1, 3)))
    assert start.total == half.total == 3 * 4 * 8 * 64 + 2 * 9 * 4 * 144
    assert start.done == 0
    assert half.done == 3 * 4 * 8 * 64 + 12 * 4 * 144
    assert Clock.at(Position(2), CONFIG.phases, 37).done == start.total


def test_a_killed_run_with_mixup_resumes_to_the_same_weights(
    tmp_path: Path, undisturbed: tuple[Engine, Path]
) -> None:
    config = dataclasses.replace(CONFIG, mixup=0.4)
    whole = run(tmp_path / "whole", config).model.state_dict()
    with pytest.raises(KilledError):
        run(tmp_path / "killed", config, stop_after=7)
    resumed = run(tmp_path / "killed", config).model.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    plain = undisturbed[0].model.state_dict()
    assert not all(torch.equal(value, plain[name]) for name, value in whole.items())
