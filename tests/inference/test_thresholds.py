from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cxrbench.errors import InputError
from cxrbench.inference import THRESHOLDS, Threshold, threshold
from cxrbench.inference.thresholds import best_f1, least_cost, sensitivity_first, specificity_first, youden


def drawn(seed: int, levels: int = 10) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, (15, 1)).astype(float)
    truth[0], truth[1] = 0, 1
    return truth, random.integers(0, levels + 1, (15, 1)) / levels


def counts(truth: np.ndarray, scores: np.ndarray, cut: float) -> tuple[np.int64, np.int64]:
    called = scores >= cut
    return (called & (truth == 1)).sum(), (called & (truth == 0)).sum()


def possible(scores: np.ndarray) -> list[float]:
    """One threshold in (0, 1) for every possible set of predicted positives."""
    return [cut for cut in [1e-3, *(np.unique(scores) + 1e-3)] if cut < 1]


Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]
GAINS: dict[Fit, Callable[..., float]] = {  # true and false positives, positives, negatives → what is best
    youden: lambda tp, fp, p, n: tp / p - fp / n,
    best_f1: lambda tp, fp, p, n: 2 * tp / (tp + fp + p),
    least_cost: lambda tp, fp, p, n: -(5 * (p - tp) + fp),
}


@pytest.mark.parametrize("rule", GAINS, ids=lambda rule: rule.__name__)
@given(seed=st.integers(0, 10_000))
def test_no_other_threshold_is_better_by_the_rules_own_criterion(rule: Fit, seed: int) -> None:
    truth, scores = drawn(seed)
    total = (truth == 1).sum(), (truth == 0).sum()
    best = max(GAINS[rule](*counts(truth, scores, cut), *total) for cut in possible(scores))
    assert GAINS[rule](*counts(truth, scores, rule(truth, scores)[0]), *total) == pytest.approx(best)


@given(seed=st.integers(0, 10_000), least=st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_sensitivity_and_specificity_first_reach_their_share_with_the_fewest_errors(
    seed: int, least: float
) -> None:
    truth, scores = drawn(seed)
    tp, fp = counts(truth, scores, sensitivity_first(truth, scores, least=least)[0])
    positives, negatives = (truth == 1).sum(), (truth == 0).sum()
    options = [counts(truth, scores, cut) for cut in possible(scores)]
    # Out of reach where scores of 0 or 1 leave no threshold: then as near as can be.
    needed = min(least * positives - 1e-9, max(t for t, _ in options))
    assert fp == min(f for t, f in options if t >= needed)
    tp, fp = counts(truth, scores, specificity_first(truth, scores, least=least)[0])
    allowed = max((1 - least) * negatives + 1e-9, min(f for _, f in options))
    assert tp == max(t for t, f in options if f <= allowed)


def test_a_threshold_lies_half_way_between_neighbouring_scores() -> None:
    truth, scores = np.array([[0.0], [0], [1], [1]]), np.array([[0.2], [0.3], [0.7], [0.9]])
    for name in ("youden", "best_f1", "least_cost"):
        assert THRESHOLDS[name].fit(truth, scores)[0] == pytest.approx(0.5)


@pytest.mark.parametrize("record", THRESHOLDS.values(), ids=lambda record: record.name)
def test_a_finding_without_both_classes_gets_one_half_and_all_thresholds_lie_in_0_1(
    record: Threshold,
) -> None:
    truth = np.array([[0.0, 1, np.nan, 1], [0, 1, 1, 0]])
    cuts = record.fit(truth, np.array([[0, 0.2, 0.2, 0], [1, 0.2, 0.2, 1]]))
    assert cuts[:3].tolist() == [0.5] * 3
    assert 0 < cuts[3] < 1
    assert cuts.shape == (4,)


def test_masked_studies_have_no_influence() -> None:
    truth, scores = drawn(1)
    more = np.vstack([truth, np.full((5, 1), np.nan)]), np.vstack([scores, np.full((5, 1), 0.99)])
    for record in THRESHOLDS.values():
        assert_array_equal(record.fit(*more), record.fit(truth, scores))


def test_invalid_arguments_are_refused() -> None:
    truth, scores = drawn(2)
    with pytest.raises(InputError, match="choose from: half, youden"):
        threshold("yuoden")
    with pytest.raises(InputError, match="share"):
        sensitivity_first(truth, scores, least=90)
    with pytest.raises(InputError, match="above 0"):
        least_cost(truth, scores, fn_cost=-1)
