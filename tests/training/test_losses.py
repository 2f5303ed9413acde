import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.training import masked_bce, positive_weights


def slowly(logits, targets, weights):
    total, count = 0.0, 0
    for row_x, row_y in zip(logits.tolist(), targets.tolist(), strict=True):
        for x, y, w in zip(row_x, row_y, weights.tolist(), strict=True):
            if math.isnan(y):
                continue
            p = 1 / (1 + math.exp(-x))
            total -= w * y * math.log(p) + (1 - y) * math.log(1 - p)
            count += 1
    return total / max(count, 1)


def some(seed, known=0.7):
    rng = np.random.default_rng(seed)
    targets = np.where(rng.random((5, 3)) < known, rng.choice([0, 1, 0.3], (5, 3)), np.nan)
    return torch.from_numpy(rng.normal(0, 2, (5, 3))), torch.from_numpy(targets)


@given(st.integers(0, 10_000))
def test_it_is_the_mean_over_known_targets_as_written_in_its_formula(seed):
    logits, targets = some(seed)
    weights = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64)
    assert masked_bce(logits, targets, weights).item() == pytest.approx(slowly(logits, targets, weights))
    assert masked_bce(logits, targets).item() == pytest.approx(slowly(logits, targets, torch.ones(3)))


def test_an_unknown_target_has_no_say_in_the_gradient():
    logits, targets = some(1)
    logits.requires_grad_()
    masked_bce(logits, targets).backward()
    assert (logits.grad[targets.isnan()] == 0).all()
    assert (logits.grad[~targets.isnan()] != 0).all()


def test_where_nothing_is_known_the_loss_and_its_gradient_are_zero():
    logits = torch.randn(2, 3, requires_grad=True)
    loss = masked_bce(logits, torch.full((2, 3), torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


def test_weights_are_negatives_over_positives_of_what_is_known():
    nan = math.nan
    targets = torch.tensor([[1, 0, nan], [0, 0, nan], [0, 0, 0.5], [nan, 0, 0.5]])
    assert positive_weights(targets).tolist() == [2, 1, 1]
    assert positive_weights(torch.tensor([[1.0]] + [[0.0]] * 100)).tolist() == [20]
