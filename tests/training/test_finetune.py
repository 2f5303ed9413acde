import os
import subprocess
import sys

import pandas as pd
import pytest

from cxrbench.labels import CHEXPERT
from cxrbench.models import hub

RECIPE = """
name = "speck"
architecture = "efficientnet_b0"
[data]
root = "phantom"
phantom_patients = 12
phantom_size = 64
phantom_fractions = [0.5, 0.25, 0.25]
[[phases]]
size = 32
epochs = 1
batch = 4
rate = 1e-3
"""


def finetune(root, folder, *arguments):
    command = [sys.executable, "-m", "train.finetune", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "2"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_recipe_becomes_a_model_that_loads_with_its_evaluation_and_predictions(root, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf8")
    done = finetune(root, tmp_path, "recipe.toml", "--out", "run")
    assert done.returncode == 0, done.stderr
    model = hub.load(tmp_path / "run" / "model")
    assert model.spec.name == "speck"
    assert model.spec.labels == CHEXPERT
    assert model.spec.preprocessing.size == 32
    figures = hub.evaluation(tmp_path / "run" / "model")
    predictions = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert figures["studies"] == len(predictions) == 3
    assert predictions[[f"score {label}" for label in CHEXPERT]].to_numpy().min() >= 0
    assert all((tmp_path / "phantom" / path).is_file() for path in predictions["path"])
    assert figures["positives"] == {label: int(predictions[label].sum()) for label in CHEXPERT}
    again = finetune(root, tmp_path, "recipe.toml", "--out", "run")
    assert again.returncode == 0, again.stderr
    assert "resumed at Position(phase=1" in again.stdout


def test_a_mistake_ends_with_one_sentence(root, tmp_path):
    (tmp_path / "recipe.toml").write_text("colour = 1\n" + RECIPE, encoding="utf8")
    done = finetune(root, tmp_path, "recipe.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr
