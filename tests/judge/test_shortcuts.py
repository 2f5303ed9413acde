"""Shortcuts: which markers a map shows, and which a model relies on."""

import numpy as np
import pytest

from cxrbench.errors import InputError
from cxrbench.judge import (
    CRITERIA,
    JudgedMap,
    confounder_sensitivity,
    explanation_correlation,
    relies_on_marker,
)

MARKER = np.zeros((20, 20), bool)
MARKER[1:5, 1:11] = True  # a tenth of the image


def test_sensitivity_is_the_share_of_the_marker_in_the_top_tenth() -> None:
    relevance = MARKER.astype(float)
    assert confounder_sensitivity(relevance, MARKER) == 1
    assert confounder_sensitivity(-relevance, MARKER) == 0
    half = np.roll(relevance, 5, axis=1)
    assert confounder_sensitivity(half, MARKER) == 0.5
    assert confounder_sensitivity(np.zeros((20, 20)), MARKER) == pytest.approx(0.1)
    assert confounder_sensitivity(relevance, MARKER, share=0.05) == pytest.approx(0.5)


def test_without_a_marker_it_is_undefined_and_another_size_is_refused() -> None:
    assert np.isnan(confounder_sensitivity(np.ones((20, 20)), np.zeros((20, 20), bool)))
    with pytest.raises(InputError, match="The marker must have the shape"):
        confounder_sensitivity(np.ones((7, 7)), MARKER)


def test_maps_are_correlated_only_where_the_prediction_flips() -> None:
    first, second = np.random.default_rng(1).standard_normal((2, 6, 6))
    expected = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert explanation_correlation(first, second) == pytest.approx(expected)
    assert explanation_correlation(first, 3 * first + 1) == pytest.approx(1)
    assert np.isnan(explanation_correlation(first, second, prediction_flips=False))


@pytest.mark.parametrize(
    ("logit", "without", "relies"), [(4, 1, True), (4, 3.85, False), (0.5, 0.42, False), (0.5, 0.3, True)]
)
def test_a_model_relies_on_a_marker_that_changes_its_logit(
    logit: float, without: float, relies: bool
) -> None:
    assert relies_on_marker(logit, without) == relies


def test_a_marker_is_a_hit_for_a_model_that_relies_on_it_and_a_false_alarm_for_another() -> None:
    found, alarm, correlated = (
        CRITERIA[name]
        for name in ("confounder_sensitivity", "confounder_false_alarm", "explanation_correlation")
    )
    for without, relies in ((-1.0, True), (1.99, False)):
        judged = JudgedMap(
            MARKER.astype(float),
            (20, 20),
            marker=MARKER,
            logit=2.0,
            logit_without_marker=without,
            map_without_marker=1 - MARKER.astype(float),
            threshold=0.0,
        )
        values = [record.value(judged) for record in (found, alarm, correlated)]
        assert values == pytest.approx([1, np.nan, -1] if relies else [np.nan, 1, np.nan], nan_ok=True)
