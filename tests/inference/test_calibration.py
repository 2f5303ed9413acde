import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from cxrbench.errors import InputError
from cxrbench.inference import CALIBRATIONS, Calibration, calibration
from cxrbench.inference.calibration import isotonic, platt, temperature
from cxrbench.metrics import auroc, brier, calibration_error


@pytest.fixture(scope="module")
def overconfident() -> tuple[np.ndarray, np.ndarray]:
    """Targets drawn with probability σ(z), and scores σ(3z + 1): too sure, and shifted."""
    random = np.random.default_rng(7)
    logits = random.normal(size=(4000, 2))
    return (random.random(logits.shape) < expit(logits)).astype(float), logits


def test_temperature_recovers_the_factor_of_the_logits(overconfident: tuple[np.ndarray, np.ndarray]) -> None:
    targets, logits = overconfident
    calibrate = temperature(targets, expit(3 * logits))
    assert_allclose(logit(calibrate(expit(3 * logits[:50]))) / logits[:50], 1, atol=0.15)


def test_platt_corrects_an_offset_as_logistic_regression_does(
    overconfident: tuple[np.ndarray, np.ndarray],
) -> None:
    targets, logits = overconfident
    scores = expit(3 * logits + 1)
    calibrated = platt(targets, scores)(scores)
    for finding in range(2):
        z = logit(scores[:, [finding]])
        expected = LogisticRegression(C=1e9).fit(z, targets[:, finding]).predict_proba(z)[:, 1]
        assert_allclose(calibrated[:, finding], expected, atol=2e-3)


def test_isotonic_agrees_with_scikit_learn(overconfident: tuple[np.ndarray, np.ndarray]) -> None:
    targets, logits = overconfident
    scores = np.round(expit(3 * logits + 1), 2)
    others = np.random.default_rng(8).random((200, 2))
    ours = isotonic(targets, scores)(others)
    for finding in range(2):
        reference = IsotonicRegression(out_of_bounds="clip").fit(scores[:, finding], targets[:, finding])
        assert_allclose(ours[:, finding], reference.predict(others[:, finding]), atol=1e-9)


@pytest.mark.parametrize("record", CALIBRATIONS.values(), ids=lambda record: record.name)
def test_calibration_improves_new_studies_and_keeps_their_ranking(
    record: Calibration, overconfident: tuple[np.ndarray, np.ndarray]
) -> None:
    targets, logits = overconfident
    scores = expit(3 * logits)
    calibrate = record.fit(targets[:2000], scores[:2000])
    after = calibrate(scores[2000:])
    assert (calibration_error(targets[2000:], after) < calibration_error(targets[2000:], scores[2000:])).all()
    assert (brier(targets[2000:], after) < brier(targets[2000:], scores[2000:])).all()
    assert_allclose(auroc(targets[2000:], after), auroc(targets[2000:], scores[2000:]), atol=0.01)


@pytest.mark.parametrize("record", CALIBRATIONS.values(), ids=lambda record: record.name)
def test_a_finding_without_both_classes_keeps_its_scores(record: Calibration) -> None:
    targets = np.array([[1.0, np.nan], [1, 0], [1, 0]])
    scores = np.array([[0.2, 0.4], [0.6, 0.1], [0.9, 0.8]])
    assert_allclose(record.fit(targets, scores)(scores), scores, atol=1e-6)


@pytest.mark.parametrize("record", CALIBRATIONS.values(), ids=lambda record: record.name)
def test_separable_findings_and_scores_of_0_and_1_stay_finite(record: Calibration) -> None:
    targets, scores = np.array([[0.0], [0], [1], [1]]), np.array([[0.0], [0.1], [0.9], [1]])
    after = record.fit(targets, scores)(scores)
    assert np.isfinite(after).all()
    assert (np.diff(after[:, 0]) >= 0).all()
    assert_array_equal((after >= 0) & (after <= 1), True)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="temperature, platt, isotonic"):
        calibration("beta")
