import copy

import numpy as np
import torch
from torch import nn

from cxrbench.preprocess import Preprocessing
from cxrbench.training import Images
from cxrbench.training.objective.losses import LOSSES
from cxrbench.training.transfer.decoupled import features_of, retrain
from cxrbench.training.transfer.heads import last_layer

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)
TARGETS = (np.random.default_rng(1).random((40, 2)) < [0.5, 0.1]).astype(np.float32)


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


def weight_of(model: torch.nn.Module) -> torch.Tensor:
    """The last layer's."""
    weight: torch.Tensor = model.state_dict()["3.weight"]
    return weight


def images() -> Images:
    return Images(PIXELS, torch.from_numpy(TARGETS), Preprocessing(size=4))


def test_features_are_the_input_of_the_last_layer_in_order() -> None:
    model, source = small(), images()
    features = features_of(model, source, batch=7)
    with torch.no_grad():
        each = torch.cat([model[:3](source[i][0][None]) for i in range(40)])
    np.testing.assert_allclose(features, each, atol=1e-6)


def test_only_the_last_layer_is_trained() -> None:
    model = small()
    before = copy.deepcopy(model.state_dict())
    features = features_of(model, images())
    known = torch.from_numpy(TARGETS)
    loss = LOSSES["bce"](known)
    start = loss(last_layer(model)[1](torch.from_numpy(features)), known)
    retrain(model, features, TARGETS, epochs=50, batch=16, rate=0.02)
    end = loss(last_layer(model)[1](torch.from_numpy(features)), known)
    assert end < start
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"3.weight", "3.bias"}


def test_an_example_with_weight_zero_has_no_effect() -> None:
    features = np.random.default_rng(2).normal(size=(40, 8)).astype(np.float32)
    weights = np.where(np.arange(40) < 20, 1 / 20, 0)
    first, second = small(), small()
    retrain(first, features, TARGETS, weights=weights, epochs=2)
    features[20:] = 99
    retrain(second, features, TARGETS, weights=weights, epochs=2)
    assert torch.equal(weight_of(first), weight_of(second))


def test_the_same_seed_trains_the_same_layer() -> None:
    features = np.random.default_rng(2).normal(size=(40, 8)).astype(np.float32)
    trained = []
    for seed in (0, 0, 1):
        trained.append(small())
        retrain(trained[-1], features, TARGETS, epochs=1, batch=8, seed=seed)
    first, same, other = map(weight_of, trained)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_frozen_model_is_trained_too_and_frozen_afterwards() -> None:
    model = small().requires_grad_(False)
    before = weight_of(model).clone()
    retrain(model, np.ones((40, 8), np.float32), TARGETS, epochs=1)
    assert not torch.equal(weight_of(model), before)
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())
