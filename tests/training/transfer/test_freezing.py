import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.models import ARCHITECTURES, Classifier, create
from cxrbench.preprocess import Preprocessing
from cxrbench.training import DataConfig, Engine, Images, Phase, TrainConfig, recipe
from cxrbench.training.loop.schedule import parameter_groups
from cxrbench.training.run.history import Epoch, stalled
from cxrbench.training.transfer.freezing import depths, freeze, frozen_modules

LABELS = ("A", "B")
SIZES = {
    "inception_v3": 96,
    "inception_resnet_v2": 96,
    "swin_tiny": 224,
    "vit_tiny": 32,
    "deit_tiny": 32,
    "eva02_tiny": 32,
}


def model(architecture: str = "efficientnet_b0") -> Classifier:
    return create(architecture, LABELS, preprocessing=Preprocessing(size=SIZES.get(architecture, 64)))


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "vit_tiny", "alexnet"])
def test_every_parameter_has_a_depth_and_that_of_the_head_is_zero(architecture: str) -> None:
    one = model(architecture)
    of = depths(one)
    assert set(of) == {name for name, _ in one.named_parameters()}
    assert set(of.values()) == set(range(len(ARCHITECTURES[architecture].stages) + 1))
    values = list(of.values())
    assert values == sorted(values, reverse=True)  # parameters come from the stem to the head
    head = {"efficientnet_b0": "classifier", "vit_tiny": "head", "alexnet": "classifier"}[architecture]
    assert {name.split(".")[1] for name, depth in of.items() if depth == 0} == {head}


def test_frozen_modules_get_no_gradient_and_keep_their_statistics() -> None:
    one = model()
    freeze(one, "blocks.4")
    trained = {name for name, parameter in one.named_parameters() if parameter.requires_grad}
    assert all(name.split(".")[1] in {"blocks", "conv_head", "bn2", "classifier"} for name in trained)
    assert {name.split(".")[2] for name in trained if "blocks" in name} == {"3", "4", "5", "6"}
    one.train()
    for module in frozen_modules(one):
        module.eval()
    one(torch.randn(2, 1, 64, 64)).sum().backward()
    assert all(
        (parameter.grad is not None) == (name in trained) for name, parameter in one.named_parameters()
    )
    state = one.backbone.state_dict()
    assert int(state["bn1.num_batches_tracked"]) == 0
    assert int(state["bn2.num_batches_tracked"]) == 1
    freeze(one, "head")
    assert [name for name, p in one.named_parameters() if p.requires_grad] == [
        "backbone.classifier.weight",
        "backbone.classifier.bias",
    ]
    freeze(one, "all")
    assert all(parameter.requires_grad for parameter in one.parameters())


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(InputError, match=r"one of all, head, blocks\.1"):
        freeze(model(), "layer4")
    with pytest.raises(InputError, match="needs a Classifier"):
        freeze(nn.Linear(2, 2), "head")


def test_each_group_has_one_depth_and_each_parameter_is_in_one_group() -> None:
    one = model()
    groups = parameter_groups(one, 0.1, depths(one))
    held = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(held) == len(set(held)) == len(list(one.parameters()))
    assert {group["depth"] for group in groups} == set(range(5))
    plain = parameter_groups(one, 0.1)
    assert [group["weight_decay"] for group in plain] == [0.1, 0.0]


def images(count: int, size: int = 64) -> Images:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
    return Images(pixels, torch.from_numpy(rng.integers(0, 2, (count, 2))).float(), Preprocessing(size=size))


def test_the_head_is_trained_first_then_each_stage_at_its_own_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = (
        Phase(64, 1, 4, 1e-3, warmup=0, train="head"),
        Phase(64, 1, 4, 1e-3, warmup=0, floor=1, slower=0.5),
    )
    config = TrainConfig("t", "efficientnet_b0", DataConfig("x"), phases, labels=LABELS)
    one = model()
    before = {name: value.clone() for name, value in one.state_dict().items()}
    engine = Engine(one, config, tmp_path, say=lambda line: None)
    moved, rates = [], []
    step = engine.learner.step

    def watched(phase: Phase, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor], rate: float) -> float:
        value = step(phase, batch, rate)
        state = one.state_dict()
        moved.append({name.split(".")[1] for name in state if not torch.equal(state[name], before[name])})
        rates.append({group["depth"]: group["lr"] for group in engine.learner.optimizer.param_groups})
        return value

    monkeypatch.setattr(engine.learner, "step", watched)
    engine.fit(lambda size: (images(8), images(6)))
    assert moved[0] == moved[1] == {"classifier"}
    assert {"conv_stem", "blocks", "classifier"} <= moved[2]
    assert rates[2] == pytest.approx({depth: 1e-3 * 0.5**depth for depth in range(5)})


def epochs(*values: float | None) -> list[Epoch]:
    return [Epoch(0, at, 8, 1.0, {"A": value}) for at, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "ended"),
    [
        ((0.5,), False),
        ((0.5, 0.5, 0.5), True),
        ((0.5, 0.6, 0.5), False),
        ((0.5, 0.6, 0.5, 0.6), True),
        (
            (0.5, 0.5005, 0.5008),
            True,
        ),  # small steps are no improvement, even where they add up to less than one
        ((0.5, 0.5005, 0.502), False),
        ((None, None), True),
    ],
)
def test_a_phase_ends_after_patience_epochs_without_improvement(
    values: tuple[float, ...], ended: bool
) -> None:
    assert stalled(epochs(*values), patience=2, least=0.001) == ended
    assert not stalled(epochs(*values), patience=0, least=0.001)


def test_early_stopping_continues_with_the_next_phase(tmp_path: Path) -> None:
    phases = (Phase(64, 9, 4, 1e-9, patience=2, least=1.0), Phase(64, 1, 4, 1e-9))
    config = TrainConfig("t", "efficientnet_b0", DataConfig("x"), phases, labels=LABELS)
    one = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 2))
    history = Engine(one, config, tmp_path, say=lambda line: None).fit(lambda size: (images(8), images(6)))
    # The first epoch's AUROC is better than none, two more are not better by 1.
    assert [(epoch.phase, epoch.epoch) for epoch in history] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    again = Engine(one, config, tmp_path, say=lambda line: None)
    assert again.fit(lambda size: (images(8), images(6))) == history
    assert math.isfinite(history[-1].loss)


@pytest.mark.parametrize(("name", "value"), [("floor", 2), ("slower", 0), ("patience", -1), ("least", -0.1)])
def test_settings_of_a_phase_are_checked(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        dataclasses.replace(Phase(8, 1, 1, 1e-3), **{name: value})


def test_a_transformer_trains_on_small_images_first_from_mimetic_weights(tmp_path: Path) -> None:
    phases = (Phase(32, 1, 4, 1e-3), Phase(64, 1, 4, 1e-3))
    config = TrainConfig("t", "vit_tiny", DataConfig("x"), phases, labels=LABELS, mimetic=True)
    model = recipe.new_model(config)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    plain = recipe.new_model(dataclasses.replace(config, mimetic=False)).state_dict()
    differ = {name for name, value in start.items() if not torch.equal(value, plain[name])}
    assert {name.split(".")[-2] for name in differ} == {"backbone", "qkv", "proj"}
    engine = Engine(model, config, tmp_path, say=lambda line: None)
    history = engine.fit(lambda size: (images(8, size), images(6, size)))
    assert [epoch.size for epoch in history] == [32, 64]
    assert not torch.equal(engine.model.state_dict()["backbone.pos_embed"], start["backbone.pos_embed"])
