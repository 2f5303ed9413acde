"""Supervision and retraining, from recipe to saved model, in miniature."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cxrbench import evaluation
from cxrbench.errors import InputError
from cxrbench.models import Classifier, create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Phase, TrainConfig
from cxrbench.training.transfer.heads import last_layer
from cxrbench.workflows.train import train
from train import retrain

LABELS = ("No Finding", "Lung Opacity", "Edema", "Pleural Effusion", "Support Devices")


def recipe(root: Path, **options: object) -> TrainConfig:
    of = DataConfig(
        str(root / "phantom"),
        policy=str(options.pop("policy", "ignore")),
        teacher=str(options.pop("teacher", "")),
        phantom_patients=8,
        phantom_size=64,
        phantom_fractions=(0.5, 0.25, 0.25),
    )
    return TrainConfig("speck", "efficientnet_b0", of, (Phase(32, 1, 4, 1e-3),), labels=LABELS, **options)  # type: ignore[arg-type]


def trained(config: TrainConfig, out: Path) -> Classifier:
    train(config, out)
    return hub.load(out / "model")


def test_teacher_student_three_classes_and_a_retrained_layer_yield_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # the phantom is drawn here, not by processes that start
    teacher = trained(recipe(tmp_path), tmp_path / "ignore")
    pupil = recipe(tmp_path, policy="self-trained", teacher=tmp_path / "ignore" / "model")
    assert trained(pupil, tmp_path / "pupil").spec.labels == LABELS
    three = recipe(tmp_path, policy="multiclass", loss="three-class", sampling="ml-ros")
    folded = trained(three, tmp_path / "three")
    assert last_layer(folded)[1].out_features == len(LABELS)
    assert "U-MultiClass" in (tmp_path / "three" / "model" / "README.md").read_text(encoding="utf8")
    for synthetic in (False, True):
        out = tmp_path / f"again-{synthetic}"
        retrain.again(recipe(tmp_path), tmp_path / "ignore" / "model", out, synthetic=synthetic)
        model = hub.load(out / "model")
        assert model.spec.name == "speck-retrained"
        path, layer = last_layer(model)
        assert not torch.equal(layer.weight, last_layer(teacher)[1].weight)
        others = {key for key in model.state_dict() if not key.startswith(path)}
        own, old = model.state_dict(), teacher.state_dict()
        assert all(torch.equal(own[key], old[key]) for key in others)
        predictions = evaluation.read_predictions(out / "model" / "predictions.csv")
        assert np.isfinite(predictions.scores).all()


def test_a_model_of_other_labels_or_a_recipe_of_three_classes_is_refused(tmp_path: Path) -> None:
    folder = hub.save(create("efficientnet_b0", ("A",), preprocessing=Preprocessing(size=32)), tmp_path / "m")
    with pytest.raises(InputError, match="Give the recipe that it was trained by"):
        retrain.again(recipe(tmp_path), folder)
    three = replace(recipe(tmp_path, policy="multiclass", loss="three-class"), labels=("A",))
    with pytest.raises(InputError, match="another recipe"):
        retrain.again(three, folder)
