"""Training targets and loss of a recipe."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from cxrbench import models
from cxrbench.data import Studies, read_image
from cxrbench.errors import InputError
from cxrbench.inference import sigmoid
from cxrbench.models import hub
from cxrbench.preprocess import Preprocessing
from cxrbench.targets import POLICIES
from cxrbench.training import DataConfig, Phase, TrainConfig, masked_bce, positive_weights, supervision

LABELS = ("Lung Opacity", "Edema", "Fracture")
TARGETS = np.array([[np.nan, 1, 0], [0, -1, 1], [1, -1, np.nan], [-1, 0, 0]])


def recipe(**options: object) -> TrainConfig:
    of = DataConfig("nowhere", policy=str(options.pop("policy", "ignore")))
    return TrainConfig("r", "efficientnet_b0", of, (Phase(32, 1, 2, 1e-3),), labels=LABELS, **options)  # type: ignore[arg-type]


@pytest.fixture
def studies(tmp_path: Path) -> Studies:
    rng, paths = np.random.default_rng(0), []
    for index in range(len(TARGETS)):
        paths.append(str(tmp_path / f"{index}.png"))
        cv2.imwrite(paths[-1], rng.integers(0, 256, (40, 40), dtype=np.uint8))
    about = {"patient": "p", "study": "s", "view": "frontal", "projection": "PA", "sex": "F", "age": 50.0}
    table = pd.DataFrame({"path": paths, **about, **dict(zip(LABELS, TARGETS.T, strict=True))})
    return Studies(table, LABELS, "made")


@pytest.mark.parametrize("name", [name for name, policy in POLICIES.items() if not policy.needs])
def test_training_targets_are_those_of_the_policy(name: str, studies: Studies, tmp_path: Path) -> None:
    seen = supervision.known_targets(recipe(policy=name), "train", studies, tmp_path)
    np.testing.assert_array_equal(seen, POLICIES[name](TARGETS, LABELS, blank="zero", seed=0))


def test_outside_training_uncertain_labels_are_nan_for_every_policy(studies: Studies, tmp_path: Path) -> None:
    config = recipe(policy="ones", label_smoothing=0.2)
    config = replace(config, data=replace(config.data, close_hierarchy=True))
    for split in ("valid", "test"):
        seen = supervision.known_targets(config, split, studies, tmp_path)
        np.testing.assert_array_equal(seen, POLICIES["ignore"](TARGETS, LABELS, blank="zero"))


def test_the_hierarchy_is_closed_before_the_policy_and_smoothing_comes_last(
    studies: Studies, tmp_path: Path
) -> None:
    config = recipe(policy="zeros", label_smoothing=0.2)
    config = replace(config, data=replace(config.data, close_hierarchy=True))
    seen = supervision.known_targets(config, "train", studies, tmp_path)
    expected = [[0.9, 0.9, 0.1], [0.1, 0.1, 0.9], [0.9, 0.1, 0.1], [0.1, 0.1, 0.1]]
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_teacher_scores_replace_uncertain_labels(studies: Studies, tmp_path: Path) -> None:
    others = ("Fracture", "Edema", "", "Lung Opacity")  # the teacher's own order
    teacher = models.create("efficientnet_b0", others, preprocessing=Preprocessing(size=32), seed=3)
    folder = hub.save(teacher, tmp_path / "teacher")
    config = recipe(policy="self-trained")
    config = replace(config, data=replace(config.data, teacher=str(folder)))
    seen = supervision.known_targets(config, "train", studies, tmp_path).numpy()
    pixels = [read_image(path).pixels for path in studies.table["path"]]
    logits = hub.load(folder)(torch.stack([teacher.spec.preprocessing(image) for image in pixels]))
    wanted = sigmoid(logits.detach().numpy())[:, [3, 1, 0]]
    uncertain = TARGETS == -1
    np.testing.assert_allclose(seen[uncertain], wanted[uncertain], atol=2e-3)  # bytes, and 16-bit weights
    np.testing.assert_array_equal(seen[~uncertain], np.nan_to_num(TARGETS)[~uncertain])


def test_positive_weights_give_the_weighted_loss_bit_for_bit() -> None:
    targets = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, torch.nan]])
    logits = torch.randn(3, 3)
    own = supervision.criterion(recipe(positive_weights=True), targets)(logits, targets)
    assert torch.equal(own, masked_bce(logits, targets, positive_weights(targets)))
    assert torch.equal(supervision.criterion(recipe(), targets)(logits, targets), masked_bce(logits, targets))


def test_incompatible_settings_are_refused(studies: Studies, tmp_path: Path) -> None:
    for options, message in (
        ({"loss": "hinge"}, "choose from: bce, weighted"),
        ({"sampling": "often"}, "choose from: each, ml-ros"),
        ({"label_smoothing": 1.0}, r"\[0, 1\)"),
        ({"loss": "focal", "positive_weights": True}, "needs the loss 'bce'"),
        ({"loss": "three-class"}, "require each other"),
        ({"policy": "multiclass"}, "require each other"),
        ({"policy": "multiclass", "loss": "three-class", "mixup": 0.2}, r"mixup needs targets in \[0, 1\]"),
    ):
        with pytest.raises(InputError, match=message):
            recipe(**options)
    with pytest.raises(InputError, match=r"data\.teacher"):
        supervision.known_targets(recipe(policy="self-trained"), "train", studies, tmp_path)
    with pytest.raises(InputError, match="choose from: ignore"):
        supervision.known_targets(recipe(policy="maybe"), "train", studies, tmp_path)


def test_options_of_a_loss_are_read_from_toml_and_change_the_fingerprint(tmp_path: Path) -> None:
    lines = 'name = "r"\narchitecture = "efficientnet_b0"\nloss = "focal"\n{}\n[data]\nroot = "r"\n'
    phase = "[[phases]]\nsize = 32\nepochs = 1\nbatch = 2\nrate = 1e-3\n"
    found = []
    for options in ("", "[loss_options]\ngamma = 1\n"):
        path = tmp_path / "recipe.toml"
        path.write_text(lines.format("") + phase + options)
        found.append(TrainConfig.read(path))
    assert found[1].loss_options == {"gamma": 1.0}
    assert found[0].fingerprint != found[1].fingerprint
    path.write_text(lines.format("loss_options = 3") + phase)
    with pytest.raises(InputError, match="must be a table"):
        TrainConfig.read(path)
