import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Phase, TrainConfig
from cxrbench.training.recipe import begin
from cxrbench.training.run.status import StopRequested
from cxrbench.training.sources import read_studies
from train.finetune import main

RECIPE = """
name = "speck"
architecture = "efficientnet_b0"
[data]
root = "phantom"
phantom_patients = 8
phantom_size = 64
phantom_fractions = [0.5, 0.25, 0.25]
[[phases]]
size = 32
epochs = 1
batch = 4
rate = 1e-3
"""


def finetune(root: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process."""
    command = [sys.executable, "-m", "train.finetune", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def place(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run of the recipe: ``phantom`` is its data, ``run`` its results."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf8")
    done = finetune(root, folder, "recipe.toml", "--out", "run")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command in this process, which has imported everything: arguments → output."""

    def run(folder: Path, *arguments: str) -> str:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["finetune", *arguments])
        main()
        return capsys.readouterr().out

    return run


def test_a_recipe_becomes_a_model_that_loads_with_its_evaluation_and_predictions(place: Path) -> None:
    model = hub.load(place / "run" / "model")
    assert model.spec.name == "speck"
    assert model.spec.labels == CHEXPERT
    assert model.spec.preprocessing.size == 32
    figures = hub.evaluation(place / "run" / "model")
    both = pd.read_csv(place / "run" / "model" / "predictions.csv")
    about = ["path", "patient", "study", "split", "sex", "age", "view", "projection"]
    assert list(both.columns) == [*about, *CHEXPERT, *(f"score {label}" for label in CHEXPERT)]
    assert both["split"].value_counts().to_dict() == {"valid": 2, "test": 2}
    assert set(both["sex"]) <= {"M", "F"}
    assert both["age"].between(0, 120).all()
    predictions = both[both["split"] == "test"]
    assert figures["studies"] == len(predictions) == 2
    assert predictions[[f"score {label}" for label in CHEXPERT]].to_numpy().min() >= 0
    assert all((place / "phantom" / path).is_file() for path in predictions["path"])
    assert figures["positives"] == {label: int(predictions[label].sum()) for label in CHEXPERT}


def test_a_finished_run_is_not_trained_again(place: Path, follow: Callable[..., str]) -> None:
    assert "All phases of this run are finished" in follow(place, "recipe.toml", "--out", "run")


def test_a_second_recipe_starts_from_the_model_and_trains_on_the_true_labels(
    place: Path, follow: Callable[..., str]
) -> None:
    recipe = 'init = "run/model"\n' + RECIPE.replace("[data]", "[data]\ncertain = true")
    (place / "second.toml").write_text(recipe, encoding="utf8")
    follow(place, "second.toml", "--out", "second")
    card = (place / "second" / "model" / "README.md").read_text(encoding="utf8")
    assert "the phantom's certain truth" in card
    assert "from the weights of `run/model`" in card


def test_an_invalid_recipe_ends_with_one_sentence(root: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("colour = 1\n" + RECIPE, encoding="utf8")
    done = finetune(root, tmp_path, "recipe.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def tree(place: Path) -> Path:
    return place / "phantom"


def config(tree: Path, **changes: Any) -> TrainConfig:
    chosen = DataConfig(
        str(tree),
        certain=changes.pop("certain", False),
        phantom_patients=4,
        phantom_size=64,
        phantom_fractions=(0.5, 0.25, 0.25),
    )
    return TrainConfig("speck", "efficientnet_b0", chosen, (Phase(32, 1, 4, 1e-3),), **changes)


def test_certain_targets_are_those_of_truth_csv_for_the_same_images(tree: Path) -> None:
    labeller, truth = (read_studies(config(tree, certain=certain))["train"] for certain in (False, True))
    assert labeller.paths == truth.paths
    table = pd.read_csv(tree / "truth.csv")
    table = table[(table["Split"] == "train") & (table["Frontal/Lateral"] == "Frontal")]
    assert [path.name for path in truth.paths] == [path.rsplit("/")[-1] for path in table["Path"]]
    assert np.array_equal(truth.targets, table[list(CHEXPERT)].to_numpy(np.float32))
    assert not np.isin(truth.targets, [0, 1], invert=True).any()
    assert np.isnan(labeller.targets).any()


def test_certain_targets_need_a_truth_csv(tree: Path, tmp_path: Path) -> None:
    for name in ("train.csv", "valid.csv", "test.csv"):
        (tmp_path / name).write_text((tree / name).read_text())
    recipe = dataclasses.replace(config(tree), data=DataConfig(str(tmp_path), certain=True))
    with pytest.raises(InputError, match=r"truth\.csv"):
        read_studies(recipe)
    text = (tree / "truth.csv").read_text().splitlines(keepends=True)
    (tmp_path / "truth.csv").write_text("".join([text[0], *text[2:]]))
    with pytest.raises(InputError, match="no row for"):
        read_studies(recipe)


def test_a_stop_while_the_phantom_is_written_keeps_its_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tree"
    messages: list[str] = []
    recipe = config(root)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)  # two processes draw when the stop comes
    with pytest.raises(StopRequested, match=r"stopped after \d+ of \d+ phantoms"):
        read_studies(recipe, should_stop=lambda: any(root.rglob("view1_frontal.png")))
    kept = {path: path.stat().st_mtime_ns for path in root.rglob("view1_frontal.png")}
    assert kept
    assert not (root / "truth.csv").exists()
    with pytest.raises(StopRequested, match="before the phantom was started"):
        read_studies(recipe, say=messages.append, should_stop=lambda: True)
    assert not messages
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # this one draws the rest
    assert read_studies(recipe, say=messages.append)["train"]
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_init_loads_all_weights_of_a_saved_model_or_fails(tmp_path: Path) -> None:
    recipe = Preprocessing(size=32)
    saved, begun = (create("efficientnet_b0", CHEXPERT, preprocessing=recipe, seed=seed) for seed in (1, 2))
    hub.save(saved, tmp_path / "saved", half=False)
    begin(begun, tmp_path / "saved")
    for name, value in saved.state_dict().items():
        assert torch.equal(begun.state_dict()[name], value), name
    assert all(parameter.requires_grad for parameter in begun.parameters())
    with pytest.raises(InputError, match="other labels"):
        begin(create("efficientnet_b0", CHEXPERT[::-1], preprocessing=recipe), tmp_path / "saved")
    with pytest.raises(InputError, match="not those of this architecture"):
        begin(create("vit_tiny", CHEXPERT, preprocessing=recipe), tmp_path / "saved")
