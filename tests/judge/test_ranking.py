"""Agreement of rankings: scipy's τ, what ties and gaps do, and intervals by patient."""

import numpy as np
import pytest
from scipy import stats

from cxrbench.errors import InputError
from cxrbench.judge import criteria_by_truth, kendall, ranking_agreement

RANDOM = np.random.default_rng(9)
METHODS = 6


def judged(quality: np.ndarray, noise: float, rows: int = 60) -> np.ndarray:
    """Values of methods of a known quality on films that differ."""
    film = RANDOM.standard_normal((rows, 1))
    values: np.ndarray = quality + film + noise * RANDOM.standard_normal((rows, len(quality)))
    return values


QUALITY = np.arange(METHODS) / METHODS
PATIENTS = np.arange(60) // 2


@pytest.mark.parametrize("levels", [3, 1000])
def test_tau_is_scipys(levels: int) -> None:
    first, second = RANDOM.integers(0, levels, (2, 40, METHODS)).astype(float)
    expected = [stats.kendalltau(*pair).statistic for pair in zip(first, second, strict=True)]
    np.testing.assert_allclose(kendall(first, second), expected)


def test_tau_of_rows_that_tie_throughout_or_have_gaps_is_undefined() -> None:
    first = np.array([[1.0, 1, 1], [1, 2, 3]])
    assert np.isnan(kendall(first, np.array([[1.0, 2, 3], [1, 2, np.nan]]))).all()
    assert kendall(first[1:], first[1:] + np.array([0, 1e-9, 0])) == 1
    # Methods that are equal but for rounding tie under both.
    assert kendall(np.array([[1, 1 + 1e-9, 2]]), np.array([[1, 1 - 1e-9, 2]])) == 1


def test_the_ranking_is_by_means_over_films() -> None:
    first, second = judged(QUALITY, 0.1), judged(QUALITY[::-1], 0.1)
    result = ranking_agreement(first, second, PATIENTS, count=100)
    np.testing.assert_allclose(result.first, first.mean(0))
    expected = stats.kendalltau(first.mean(0), second.mean(0)).statistic
    assert result.tau.estimate == pytest.approx(expected)
    assert result.tau.estimate < -0.8
    assert result.methods == tuple(range(METHODS))
    assert result.rows == (60, 60)


def test_the_interval_is_made_from_resampled_patients() -> None:
    first, second = judged(QUALITY, 2.0), judged(QUALITY, 2.0)
    result = ranking_agreement(first, second, PATIENTS, count=400, seed=3)
    assert result.tau.low <= result.tau.estimate <= result.tau.high
    slow = []
    for _ in range(400):
        drawn = RANDOM.integers(30, size=30)
        rows = np.concatenate([np.flatnonzero(patient == PATIENTS) for patient in drawn])
        slow.append(stats.kendalltau(first[rows].mean(0), second[rows].mean(0)).statistic)
    low, high = np.quantile(slow, [0.025, 0.975])
    assert result.tau.low == pytest.approx(low, abs=0.15)
    assert result.tau.high == pytest.approx(high, abs=0.15)
    again = ranking_agreement(first, second, PATIENTS, count=400, seed=3)
    np.testing.assert_array_equal(again.tau.replicates, result.tau.replicates)


def test_films_that_repeat_each_other_within_patients_do_not_narrow_the_interval() -> None:
    first, second = judged(QUALITY, 2.0), judged(QUALITY, 2.0)
    once = ranking_agreement(first, second, np.arange(60), count=300)
    twice = ranking_agreement(
        np.repeat(first, 4, axis=0), np.repeat(second, 4, axis=0), np.repeat(np.arange(60), 4), count=300
    )
    np.testing.assert_allclose(once.tau.replicates, twice.tau.replicates)


def test_rows_and_methods_with_gaps_are_left_out_and_said() -> None:
    first, second = judged(QUALITY, 0.1), judged(QUALITY, 0.1)
    first[:10, 2] = np.nan  # ten films on which one method is undefined
    second[:, 4] = np.nan  # a method that the second criterion never judges
    result = ranking_agreement(first, second, PATIENTS, count=50)
    assert result.methods == (0, 1, 2, 3, 5)
    assert result.rows == (50, 60)
    np.testing.assert_allclose(result.first, first[10:, [0, 1, 2, 3, 5]].mean(0))
    assert result.tau.estimate > 0.7


def test_without_a_common_method_or_row_the_agreement_is_undefined() -> None:
    values = judged(QUALITY, 0.1)
    nothing = np.full_like(values, np.nan)
    assert np.isnan(ranking_agreement(values, nothing, PATIENTS, count=20).tau.estimate)
    gaps = values.copy()
    gaps[np.arange(60), np.arange(60) % METHODS] = np.nan
    result = ranking_agreement(values, gaps, PATIENTS, count=20)
    assert np.isnan(result.tau.estimate)
    assert result.rows == (60, 0)


def test_values_of_other_rows_are_refused() -> None:
    with pytest.raises(InputError, match="one patient per row"):
        ranking_agreement(np.ones((3, 2)), np.ones((3, 2)), np.arange(4))


def test_criteria_are_listed_from_the_most_trustworthy_to_the_undefined() -> None:
    truth = judged(QUALITY, 0.1)
    values = {
        "reversed": judged(QUALITY[::-1], 0.1),
        "undefined": np.full((60, METHODS), np.nan),
        "faithful": judged(QUALITY, 0.1),
    }
    result = criteria_by_truth(values, truth, PATIENTS, count=50)
    assert list(result) == ["faithful", "reversed", "undefined"]
    assert result["faithful"].tau.low > 0.5
