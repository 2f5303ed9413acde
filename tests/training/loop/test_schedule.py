import copy
import math

import pytest
import torch
from torch import nn

from cxrbench.training.loop.ema import WeightAverage
from cxrbench.training.loop.schedule import parameter_groups, rate_at


def test_linear_warmup_then_cosine_annealing() -> None:
    rates = [rate_at(t, steps=20, warmup=4, peak=2.0) for t in range(20)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4] == 2.0
    assert rates[-1] == pytest.approx(0.02)
    assert rates[4 + 5] == pytest.approx(2 * (0.01 + 0.99 * (1 + math.cos(math.pi * 5 / 15)) / 2))
    assert sorted(rates[4:], reverse=True) == rates[4:]


def test_norms_and_biases_have_no_weight_decay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    model[3].bias.requires_grad_(False)
    decaying, free = parameter_groups(model, 0.1)
    assert [p.shape for p in decaying["params"]] == [(4, 1, 3, 3), (2, 4)]
    assert all(p.ndim == 1 for p in free["params"])
    assert len(free["params"]) == 3
    assert free["weight_decay"] == 0


def test_the_weight_average_is_its_recursion() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = WeightAverage(model, 0.7)
    slow = copy.deepcopy(model.state_dict())
    for step in range(12):
        with torch.no_grad():
            next(model.parameters()).add_(torch.randn(2, 3))
            model[1](torch.randn(5, 2))
        average.update(model)
        decay = min(0.7, (1 + step) / (10 + step))
        for name, value in model.state_dict().items():
            slow[name] = (
                decay * slow[name] + (1 - decay) * value if value.is_floating_point() else value.clone()
            )
    for name, value in slow.items():
        torch.testing.assert_close(average.weights[name], value)
