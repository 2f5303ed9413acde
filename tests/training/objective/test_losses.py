import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.errors import InputError
from cxrbench.training.objective.losses import LOSSES, class_balance, masked_bce, positive_weights, smoothed


def slowly(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> float:
    total, count = 0.0, 0
    for row_x, row_y in zip(logits.tolist(), targets.tolist(), strict=True):
        for x, y, w in zip(row_x, row_y, weights.tolist(), strict=True):
            if math.isnan(y):
                continue
            p = 1 / (1 + math.exp(-x))
            total -= w * y * math.log(p) + (1 - y) * math.log(1 - p)
            count += 1
    return total / max(count, 1)


def gradient_of(logits: torch.Tensor) -> torch.Tensor:
    assert logits.grad is not None
    return logits.grad


def some(seed: int, known: float = 0.7) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    targets = np.where(rng.random((5, 3)) < known, rng.choice([0, 1, 0.3], (5, 3)), np.nan)
    return torch.from_numpy(rng.normal(0, 2, (5, 3))), torch.from_numpy(targets)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_masked_bce_is_its_formula_over_known_targets(seed: int) -> None:
    logits, targets = some(seed)
    weights = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64)
    assert masked_bce(logits, targets, weights).item() == pytest.approx(slowly(logits, targets, weights))
    assert masked_bce(logits, targets).item() == pytest.approx(slowly(logits, targets, torch.ones(3)))


def test_unknown_targets_do_not_affect_the_gradient() -> None:
    logits, targets = some(1)
    logits.requires_grad_()
    masked_bce(logits, targets).backward()
    gradient = gradient_of(logits)
    assert (gradient[targets.isnan()] == 0).all()
    assert (gradient[~targets.isnan()] != 0).all()


def test_without_known_targets_loss_and_gradient_are_zero() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = masked_bce(logits, torch.full((2, 3), torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert (gradient_of(logits) == 0).all()


def test_positive_weights_are_known_negatives_over_known_positives() -> None:
    nan = math.nan
    targets = torch.tensor([[1, 0, nan], [0, 0, nan], [0, 0, 0.5], [nan, 0, 0.5]])
    assert positive_weights(targets).tolist() == [2, 1, 1]
    assert positive_weights(torch.tensor([[1.0]] + [[0.0]] * 100)).tolist() == [20]


# Each loss for one logit and one target, as its paper writes it.
def focal_slowly(p: float, y: float, gamma: float = 2.0, alpha: float = 0.25) -> float:
    positive = -alpha * y * math.pow(1 - p, gamma) * math.log(p)
    return positive - (1 - alpha) * (1 - y) * math.pow(p, gamma) * math.log(1 - p)


def asymmetric_slowly(
    p: float, y: float, gamma_pos: float = 0.0, gamma_neg: float = 4.0, margin: float = 0.05
) -> float:
    q = max(p - margin, 0)
    positive = -y * math.pow(1 - p, gamma_pos) * math.log(p)
    return positive - (1 - y) * math.pow(q, gamma_neg) * math.log(1 - q)


def mean_slowly(
    each: Callable[[float, float, int], float], logits: torch.Tensor, targets: torch.Tensor
) -> float:
    """The mean of ``each(p, y, finding)`` over the targets that are known."""
    values = [
        each(1 / (1 + math.exp(-x)), y, finding)
        for row_x, row_y in zip(logits.tolist(), targets.tolist(), strict=True)
        for finding, (x, y) in enumerate(zip(row_x, row_y, strict=True))
        if not math.isnan(y)
    ]
    return sum(values) / max(len(values), 1)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([{}, {"gamma": 0.5, "alpha": 0.5}, {"gamma": 0.0}]))
def test_focal_loss_is_the_formula_of_lin(seed: int, options: dict[str, Any]) -> None:
    logits, targets = some(seed)
    expected = mean_slowly(lambda p, y, _: focal_slowly(p, y, **options), logits, targets)
    assert LOSSES["focal"](targets, **options)(logits, targets).item() == pytest.approx(expected)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([{}, {"margin": 0.0}, {"gamma_pos": 1.0, "gamma_neg": 0.5}]))
def test_asymmetric_loss_is_the_formula_of_ridnik(seed: int, options: dict[str, Any]) -> None:
    logits, targets = some(seed)
    expected = mean_slowly(lambda p, y, _: asymmetric_slowly(p, y, **options), logits, targets)
    assert LOSSES["asymmetric"](targets, **options)(logits, targets).item() == pytest.approx(expected)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([{}, {"beta": 0.5, "gamma": 1.0}, {"beta": 0.0}]))
def test_class_balanced_loss_is_the_formula_of_cui_for_two_classes_per_finding(
    seed: int, options: dict[str, Any]
) -> None:
    logits, targets = some(seed)
    beta, gamma = options.get("beta", 0.9999), options.get("gamma", 0.0)

    def weigh(finding: int) -> tuple[float, float]:
        seen = [y for y in targets[:, finding].tolist() if not math.isnan(y)]
        here, there = sum(seen), sum(1 - y for y in seen)
        if not here or not there:
            return 1, 1
        positive, negative = (1 - beta) / (1 - beta**here), (1 - beta) / (1 - beta**there)
        return 2 * positive / (positive + negative), 2 * negative / (positive + negative)

    def each(p: float, y: float, finding: int) -> float:
        positive, negative = weigh(finding)
        present = -positive * y * math.pow(1 - p, gamma) * math.log(p)
        return present - negative * (1 - y) * math.pow(p, gamma) * math.log(1 - p)

    expected = mean_slowly(each, logits, targets)
    assert LOSSES["class-balanced"](targets, **options)(logits, targets).item() == pytest.approx(expected)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_three_classes_are_a_softmax_over_absent_present_and_uncertain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (5, 3, 4))  # image, class, finding
    targets = rng.choice([0, 1, -1, np.nan], (5, 4))
    total, count = 0.0, 0
    for image, finding in zip(*np.nonzero(~np.isnan(targets)), strict=True):
        three = np.exp(logits[image, :, finding])
        total -= math.log(three[{0: 0, 1: 1, -1: 2}[targets[image, finding]]] / three.sum())
        count += 1
    flat, known = torch.from_numpy(logits).flatten(1), torch.from_numpy(targets)
    assert LOSSES["three-class"](known)(flat, known).item() == pytest.approx(total / max(count, 1))


def test_neutral_options_give_cross_entropy() -> None:
    logits, targets = some(4)
    plain = masked_bce(logits, targets)
    neutral = {
        "bce": {},
        "weighted": {"ceiling": 1.0},
        "focal": {"gamma": 0.0, "alpha": 0.5},
        "class-balanced": {"beta": 0.0},
        "asymmetric": {"gamma_neg": 0.0, "margin": 0.0},
    }
    rare = torch.tensor([[1.0], [0.0], [0.0]]).expand(3, 3)  # so that the ceiling holds
    for name, options in neutral.items():
        times = 2 if name == "focal" else 1  # alpha weighs both terms by a half
        loss = LOSSES[name](rare if name == "weighted" else targets, **options)(logits, targets)
        assert times * loss.item() == pytest.approx(plain.item()), name


def test_weighted_loss_is_bce_with_positive_weights_bit_for_bit() -> None:
    logits, targets = some(5)
    weights = positive_weights(targets)
    assert torch.equal(LOSSES["weighted"](targets)(logits, targets), masked_bce(logits, targets, weights))
    assert torch.equal(LOSSES["bce"](targets)(logits, targets), masked_bce(logits, targets))


EXTREMES = torch.tensor([0.0, 1e-8, 15.0, 88.0, 120.0, 1e4, 1e30])


ASKED = (
    *((name, {}) for name in LOSSES),
    ("focal", {"gamma": 0.5}),
    ("asymmetric", {"gamma_neg": 0.3, "gamma_pos": 0.3}),
)


@pytest.mark.parametrize(
    ("name", "options", "wanted"),
    [
        (name, options, wanted)
        for name, options in ASKED
        for wanted in (0.0, 1.0, 0.3, -1.0, math.nan)
        if wanted != -1 or LOSSES[name].outputs == 3  # the others know no uncertain targets
    ],
)
def test_loss_and_gradient_are_finite_at_any_logit_and_target(
    name: str, options: dict[str, Any], wanted: float
) -> None:
    loss = LOSSES[name]
    values = torch.cat((EXTREMES, -EXTREMES))
    targets = torch.full((len(values), 1), wanted)
    logits = torch.stack([values.roll(shift) for shift in range(loss.outputs)], dim=1).requires_grad_()
    criterion = loss(torch.tensor([[0.0], [1.0]]), **options)
    value = criterion(logits, targets)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(gradient_of(logits)).all()
    if math.isnan(wanted):
        assert value == 0
        assert (gradient_of(logits) == 0).all()


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.outputs == 1])
@pytest.mark.parametrize("wanted", [0.0, 1.0])
def test_the_gradient_always_points_to_the_target(name: str, wanted: float) -> None:
    logits = torch.linspace(-6, 6, 41, dtype=torch.float64)[:, None].requires_grad_()
    LOSSES[name](torch.tensor([[0.0], [1.0]]))(logits, torch.full_like(logits, wanted)).backward()
    gradient = gradient_of(logits)
    assert (gradient * (1 if wanted == 0 else -1) >= 0).all()
    assert (gradient != 0).any()


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.outputs == 1])
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    logits, targets = some(6)
    loss = LOSSES[name](targets)
    assert torch.autograd.gradcheck(lambda x: loss(x, targets), logits.requires_grad_())


def test_smoothing_moves_certain_targets_towards_one_half() -> None:
    targets = torch.tensor([[1.0, 0.0, 0.5, -1.0, math.nan]])
    assert smoothed(targets, 0.1)[0, :4].tolist() == pytest.approx([0.95, 0.05, 0.5, -1.0])
    assert smoothed(targets, 0.1)[0, 4].isnan()


def test_a_worked_example_of_effective_numbers() -> None:
    targets = torch.tensor([[1.0, 0.0]] + [[0.0, 0.0]] * 2)
    positive, negative = class_balance(targets, beta=0.5)
    # One positive, two negatives: 0.5 / 0.5 = 1 and 0.5 / 0.75 = 2/3, scaled to sum to 2: 6/5 and 4/5.
    assert positive.tolist() == pytest.approx([1.2, 1.0])
    assert negative.tolist() == pytest.approx([0.8, 1.0])


def test_an_option_that_a_loss_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="gamma, alpha"):
        LOSSES["focal"](torch.zeros(1, 1), beta=1.0)
    with pytest.raises(InputError, match="it has: none"):
        LOSSES["bce"](torch.zeros(1, 1), gamma=1.0)


def test_each_loss_is_listed_under_its_name_with_title_and_summary() -> None:
    for name, loss in LOSSES.items():
        assert loss.name == name
        assert loss.title
        assert loss.summary
        assert loss.reference
