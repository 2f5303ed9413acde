"""Calibration of scores to probabilities, fitted on validation studies only.

calibrate = CALIBRATIONS["isotonic"].fit(validation_targets, validation_scores)
probabilities = calibrate(test_scores)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from cxrbench.errors import look_up
from cxrbench.logistic import clipped_logits, fit_logistic
from cxrbench.metrics.checks import check_scores

__all__ = [
    "CALIBRATIONS",
    "Calibration",
    "calibration",
    "isotonic",
    "platt",
    "temperature",
]

Calibrate = Callable[[np.ndarray], np.ndarray]  # scores (N, L) → scores (N, L)

_PENALTY: Final = 1e-3  # per study; keeps the coefficients of separable findings finite


def temperature(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """Temperature scaling: s ↦ σ(logit(s) ÷ T), with the maximum-likelihood T of each finding.

    It changes neither the ranking nor the side of 0.5 on which a score lies; it cannot correct an offset.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        A function of scores (…, L). Scores of a finding without both classes stay unchanged.

    Reference: Guo et al. 2017, arXiv:1706.04599.
    """
    truth, values = _checked(targets, scores)
    logits = clipped_logits(values)
    inverse = np.ones(truth.shape[1])
    for finding, (y, z) in _fittable(truth, logits):
        result = minimize_scalar(
            lambda log, y=y, z=z: _loss(y, z * np.exp(-log)), bounds=(-4, 4), method="bounded"
        )
        inverse[finding] = np.exp(-result.x)
    return lambda new_scores: expit(clipped_logits(new_scores) * inverse)


def platt(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """Platt scaling: s ↦ σ(w · logit(s) + b), one logistic regression per finding; corrects an offset, too.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1], or (N, L, M) of M models (stacking).

    Returns:
        A function of scores of the same form → (N, L); the mean logit for a finding without both classes.

    Reference: Platt 1999; Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1 for several models.
    """
    stacked = np.asarray(scores, np.float64)
    single = stacked.ndim == 2
    stacked = stacked[:, :, None] if single else stacked
    truth, _ = _checked(targets, stacked[:, :, 0])
    logits = clipped_logits(stacked)
    count = stacked.shape[2]
    weights, offsets = np.full((truth.shape[1], count), 1 / count), np.zeros(truth.shape[1])
    for finding, (y, z) in _fittable(truth, logits):
        prior = np.append(np.full(count, 1 / count), 0.0)  # the mean logit, unchanged
        precision = np.full(len(prior), _PENALTY * len(y))
        design = np.column_stack([z, np.ones(len(z))])
        theta = fit_logistic(design, y, prior=prior, precision=precision)
        weights[finding], offsets[finding] = theta[:-1], theta[-1]

    def calibrate(new_scores: np.ndarray) -> np.ndarray:
        values = np.asarray(new_scores, np.float64)
        z = clipped_logits(values[:, :, None] if single else values)
        probabilities: np.ndarray = expit((z * weights).sum(2) + offsets)
        return probabilities

    return calibrate


def isotonic(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """Isotonic regression of each finding: the increasing function with the least squared error.

    It maps ranges of scores to one value, so AUROC may change; it needs many positives.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        A function of scores (N, L). Scores of a finding without both classes stay unchanged.

    Reference: Zadrozny & Elkan 2002, doi:10.1145/775047.775151.
    """
    from sklearn.isotonic import IsotonicRegression  # here: its import takes a second

    truth, values = _checked(targets, scores)
    curves = {
        finding: IsotonicRegression(out_of_bounds="clip").fit(s, y)
        for finding, (y, s) in _fittable(truth, values)
    }

    def calibrate(new_scores: np.ndarray) -> np.ndarray:
        probabilities = np.array(new_scores, np.float64)
        for finding, curve in curves.items():
            probabilities[:, finding] = curve.predict(probabilities[:, finding])
        return probabilities

    return calibrate


@dataclass(frozen=True)
class Calibration:
    """A calibration method.

    Args:
        name: its key.
        title: for menus.
        fit: targets (N, L), scores (N, L) of validation studies → a function of scores (N, L).
        summary: one sentence for a reader.
    """

    name: str
    title: str
    fit: Callable[[np.ndarray, np.ndarray], Calibrate]
    summary: str


CALIBRATIONS: Final[dict[str, Calibration]] = {
    record.name: record
    for record in (
        Calibration(
            "temperature",
            "temperature",
            temperature,
            "Logits divided by one temperature per finding: more or less confident; the ranking stays.",
        ),
        Calibration(
            "platt",
            "Platt",
            platt,
            "A logistic regression on the logit of each finding: corrects an offset, too.",
        ),
        Calibration(
            "isotonic",
            "isotonic",
            isotonic,
            "The best-fitting increasing function: non-parametric; needs more data.",
        ),
    )
}


def calibration(name: str) -> Calibration:
    """Return the calibration of this name.

    Raises:
        InputError: the name is unknown; the message lists the known ones.
    """
    return look_up("calibration", name, CALIBRATIONS)


def _loss(y: np.ndarray, logits: np.ndarray) -> float:
    """Mean negative log-likelihood."""
    return float((np.logaddexp(0, logits) - y * logits).mean())


def _fittable(truth: np.ndarray, values: np.ndarray) -> list[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """Findings with both classes: index, and targets and values of the studies with a known target."""
    findings = []
    for finding in range(truth.shape[1]):
        known = ~np.isnan(truth[:, finding])
        y = truth[known, finding]
        if (y == 1).any() and (y == 0).any():
            findings.append((finding, (y, values[known, finding])))
    return findings


def _checked(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, values = check_scores(targets, scores)
    return truth, values.astype(np.float64)
