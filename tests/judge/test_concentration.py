"""Sparseness and complexity of maps whose values are known."""

import numpy as np
import pytest

from cxrbench.judge import complexity, sparseness

ONE_HOT = np.eye(64)[5].reshape(8, 8)
UNIFORM = np.full((8, 8), -2.0)


def test_one_pixel_with_everything_and_a_uniform_map_are_the_extremes() -> None:
    assert sparseness(ONE_HOT) == pytest.approx(0.984375)
    assert complexity(ONE_HOT) == 0
    assert sparseness(UNIFORM) == pytest.approx(0)
    assert complexity(UNIFORM) == pytest.approx(np.log(64))


def test_sparseness_is_the_mean_absolute_difference_of_all_pairs() -> None:
    relevance = np.random.default_rng(1).standard_normal((6, 5))
    size = np.abs(relevance).ravel()
    slow = np.abs(size[:, None] - size).mean() / (2 * size.mean())
    assert sparseness(relevance) == pytest.approx(slow)
    assert sparseness(9 * relevance) == pytest.approx(slow)


def test_complexity_is_scipys_entropy() -> None:
    from scipy.stats import entropy

    relevance = np.random.default_rng(1).standard_normal((6, 5))
    assert complexity(relevance) == pytest.approx(entropy(np.abs(relevance).ravel()))


@pytest.mark.parametrize("criterion", [sparseness, complexity])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_zero_map_and_one_that_is_not_finite_are_undefined(criterion, value: float) -> None:  # type: ignore[no-untyped-def]
    assert np.isnan(criterion(np.full((4, 4), value)))
