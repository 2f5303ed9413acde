"""Curves to be drawn, against those of every score and against resampling by hand."""

import numpy as np
import pytest

from cxrbench.evaluation.bands import bands, cuts, tally, thinned
from cxrbench.metrics import auroc, roc_curve

RNG = np.random.default_rng(2)
COUNT = 400
TRUTH = np.where(RNG.random(COUNT) < 0.1, np.nan, RNG.random(COUNT) < 0.3)
SCORES = np.clip(np.nan_to_num(TRUTH) * 0.2 + RNG.random(COUNT) * 0.8, 0, 1).round(2)
PATIENTS = np.repeat(np.arange(COUNT // 2), 2)


def test_counts_at_a_cut_are_counts() -> None:
    at = cuts(SCORES, marked=np.array([0.123456]))
    assert 0.123456 in at
    found = tally(TRUTH, SCORES, at)
    for index in range(0, len(at), 37):
        called = at[index] <= SCORES
        assert found.hits[index] == (called & (TRUTH == 1)).sum()
        assert found.false_alarms[index] == (called & (TRUTH == 0)).sum()


def test_cuts_are_fine_where_scores_crowd_and_few_however_many_images() -> None:
    crowded = RNG.random(100_000) ** 8
    at = cuts(crowded, crowded**2)
    assert len(at) <= 2000
    assert (np.diff(at) > 0).all()
    assert np.searchsorted(at, 0.001) > 20
    assert at[0] == 0
    assert at[-1] == 1


def test_a_thin_curve_has_the_same_area() -> None:
    truth = RNG.random(50_000) < 0.2
    scores = truth * 0.5 + RNG.normal(size=50_000)
    curve = roc_curve(truth, scores)
    x, y = thinned(curve.false_positive_rate, curve.sensitivity)
    assert len(x) <= 1000
    exact = auroc(truth[:, None].astype(float), scores[:, None])[0]
    assert np.trapezoid(y, x) == pytest.approx(exact, abs=1e-4)


def test_a_curve_of_few_scores_keeps_every_corner() -> None:
    curve = roc_curve(TRUTH, SCORES)
    x, y = thinned(curve.false_positive_rate, curve.sensitivity)
    assert np.trapezoid(y, x) == pytest.approx(
        np.trapezoid(curve.sensitivity, curve.false_positive_rate), abs=1e-12
    )


def test_a_band_is_the_percentiles_of_resampled_curves() -> None:
    roc, pr = bands(TRUTH, SCORES, PATIENTS, count=150, seed=4)
    random, rates = np.random.default_rng(9), []
    for _ in range(150):
        rows = np.concatenate([[2 * p, 2 * p + 1] for p in random.integers(COUNT // 2, size=COUNT // 2)])
        curve = roc_curve(TRUTH[rows], SCORES[rows])
        rates.append(np.interp(roc.grid, curve.false_positive_rate, curve.sensitivity))
    low, high = np.quantile(rates, [0.025, 0.975], axis=0)
    assert np.abs(roc.low - low)[5:-5].max() < 0.08  # two runs of 150 resamples
    assert np.abs(roc.high - high)[5:-5].max() < 0.08
    assert (roc.low <= roc.high).all()
    assert ((pr.low >= 0) & (pr.high <= 1)).all()


def test_without_positives_there_is_no_band() -> None:
    roc, pr = bands(np.zeros(20), RNG.random(20), np.arange(20))
    assert np.isnan(roc.low).all()
    assert np.isnan(pr.high).all()
