from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from numpy.testing import assert_array_equal

from cxrbench.errors import InputError
from cxrbench.metrics import DECISIONS, confusion, decisions

ORACLES = {
    decisions.recall: lambda t, c: reference.recall_score(t, c),
    decisions.specificity: lambda t, c: reference.recall_score(t, c, pos_label=0),
    decisions.precision: lambda t, c: reference.precision_score(t, c),
    decisions.negative_predictive_value: lambda t, c: reference.precision_score(t, c, pos_label=0),
    decisions.accuracy: reference.accuracy_score,
    decisions.balanced_accuracy: reference.balanced_accuracy_score,
    decisions.f1: lambda t, c: reference.f1_score(t, c),
    decisions.f1_macro: lambda t, c: reference.f1_score(t, c, average="macro"),
    decisions.matthews: reference.matthews_corrcoef,
}


@pytest.mark.parametrize("metric", ORACLES, ids=lambda m: m.__name__)
def test_each_metric_agrees_with_scikit_learn_where_targets_are_known(metric: Callable[..., Any]) -> None:
    random = np.random.default_rng(1)
    targets = (random.random((300, 5)) < np.linspace(0.05, 0.9, 5)).astype(float)
    calls = random.random(targets.shape) < 0.2 + 0.5 * targets
    targets[random.random(targets.shape) < 0.2] = np.nan
    for finding, value in enumerate(metric(targets, calls)):
        known = ~np.isnan(targets[:, finding])
        expected = ORACLES[metric](targets[known, finding], calls[known, finding])
        assert value == pytest.approx(expected, abs=1e-12)


def test_undefined_values_are_nan_and_not_zero() -> None:
    targets = np.array([[1.0, 0, np.nan], [1, 0, np.nan]])
    calls = np.array([[False, False, True], [False, False, True]])
    assert_array_equal(decisions.precision(targets, calls), [np.nan] * 3)
    assert_array_equal(decisions.recall(targets, calls), [0, np.nan, np.nan])
    assert_array_equal(decisions.specificity(targets, calls), [np.nan, 1, np.nan])
    assert_array_equal(decisions.f1(targets, calls), [0, np.nan, np.nan])
    assert_array_equal(decisions.matthews(targets, calls), [np.nan] * 3)
    assert_array_equal(decisions.balanced_accuracy(targets, calls), [np.nan] * 3)


def test_matthews_does_not_overflow_on_a_large_data_set() -> None:
    many = decisions.Counts(*(np.array([n]) for n in (100_000, 20_000, 30_000, 10_000_000)))
    value = DECISIONS["matthews"].compute(many)[0]
    assert value == pytest.approx((1e12 - 6e8) / np.sqrt(120_000.0 * 130_000 * 10_020_000 * 10_030_000))


def test_every_record_computes_its_function_from_counts() -> None:
    random = np.random.default_rng(2)
    targets, calls = random.integers(0, 2, (40, 3)).astype(float), random.random((40, 3)) < 0.5
    for metric in ORACLES:
        counts = confusion(targets, calls)
        values = [record.compute(counts) for record in DECISIONS.values()]
        assert any(np.array_equal(metric(targets, calls), value) for value in values)


def test_scores_in_place_of_calls_and_uncertain_targets_are_refused() -> None:
    with pytest.raises(InputError, match="true or false"):
        decisions.f1(np.ones((2, 1)), np.ones((2, 1)))
    with pytest.raises(InputError, match="apply a policy"):
        decisions.f1(-np.ones((2, 1)), np.ones((2, 1), bool))
    with pytest.raises(InputError, match="shapes"):
        decisions.f1(np.ones((2, 1)), np.ones((2, 2), bool))
