import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from cxrbench.errors import InputError
from cxrbench.metrics import brier, calibration_error, reliability


@pytest.fixture
def study() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    scores = random.random((500, 3))
    targets = (random.random(scores.shape) < scores**2).astype(float)
    targets[random.random(targets.shape) < 0.1] = np.nan
    return targets, scores


def test_brier_and_the_curve_agree_with_scikit_learn(study: tuple[np.ndarray, np.ndarray]) -> None:
    targets, scores = study
    for finding in range(3):
        known = ~np.isnan(targets[:, finding])
        truth, score = targets[known, finding], scores[known, finding]
        assert brier(targets, scores)[finding] == pytest.approx(brier_score_loss(truth, score))
        share, mean = calibration_curve(truth, score, n_bins=10)
        curve = reliability(targets[:, finding], scores[:, finding])
        assert_allclose(curve.share, share)
        assert_allclose(curve.score, mean)
        assert curve.studies.sum() == known.sum()


def test_the_calibration_error_is_the_slow_sum_over_bins(study: tuple[np.ndarray, np.ndarray]) -> None:
    targets, scores = study
    for finding, value in enumerate(calibration_error(targets, scores, bins=7)):
        known = ~np.isnan(targets[:, finding])
        truth, score = targets[known, finding], scores[known, finding]
        expected = 0.0
        for b in range(7):
            inside = (score >= b / 7) & ((score < (b + 1) / 7) | (b == 6))
            if inside.any():
                expected += inside.mean() * abs(truth[inside].mean() - score[inside].mean())
        assert value == pytest.approx(expected)


@given(st.integers(0, 1000))
def test_scores_equal_to_the_targets_are_calibrated(seed: int) -> None:
    targets = np.random.default_rng(seed).integers(0, 2, (20, 2)).astype(float)
    assert_array_equal(calibration_error(targets, targets), [0, 0])
    assert_array_equal(brier(targets, targets), [0, 0])


def test_without_a_target_the_metrics_are_undefined() -> None:
    nothing = np.full((3, 1), np.nan)
    assert_array_equal(brier(nothing, nothing), [np.nan])
    assert_array_equal(calibration_error(nothing, nothing), [np.nan])
    assert len(reliability(nothing[:, 0], nothing[:, 0]).studies) == 0


def test_logits_are_refused() -> None:
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        brier(np.ones((2, 1)), np.array([[3.0], [-2.0]]))
