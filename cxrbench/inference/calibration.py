"""Calibration of scores to probabilities, fitted on validation studies only.

calibrate = CALIBRATIONS["isotonic"].fit(valid_targets, valid_scores)
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

_PENALTY: Final = 1e-3  # on coefficients, per study: keeps those of separable findings finite


def temperature(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """Temperature: s ↦ σ(logit(s) ÷ T), with the T of each finding that makes the truth likeliest.

    It changes no ranking and no call at 0.5; it cannot mend a score whose 0.5 stands in the wrong place.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        A function of scores (…, L). A finding without both kinds keeps its scores.

    Reference: Guo et al. 2017, arXiv:1706.04599.
    """
    truth, values = _checked(targets, scores)
    logits = clipped_logits(values)
    inverse = np.ones(truth.shape[1])
    for finding, (y, z) in _fittable(truth, logits):
        found = minimize_scalar(
            lambda log, y=y, z=z: _loss(y, z * np.exp(-log)), bounds=(-4, 4), method="bounded"
        )
        inverse[finding] = np.exp(-found.x)
    return lambda others: expit(clipped_logits(others) * inverse)


def platt(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """Platt scaling: s ↦ σ(w · logit(s) + b), one logistic regression per finding, which also moves the 0.5.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1], or (N, L, M): those of M models, which are stacked.

    Returns:
        A function of scores of that form, to (N, L). A finding without both kinds keeps the mean logit.

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
        prior = np.append(np.full(count, 1 / count), 0.0)  # the mean logit, as it is
        precision = np.full(len(prior), _PENALTY * len(y))
        design = np.column_stack([z, np.ones(len(z))])
        found = fit_logistic(design, y, prior=prior, precision=precision)
        weights[finding], offsets[finding] = found[:-1], found[-1]

    def calibrate(others: np.ndarray) -> np.ndarray:
        values = np.asarray(others, np.float64)
        z = clipped_logits(values[:, :, None] if single else values)
        return expit((z * weights).sum(2) + offsets)

    return calibrate


def isotonic(targets: np.ndarray, scores: np.ndarray) -> Calibrate:
    """The increasing step function of each finding's score with the least squared error, joined by lines.

    It ties scores that it cannot tell apart, so AUROC may change; it needs many positives.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        A function of scores (N, L). A finding without both kinds keeps its scores.

    Reference: Zadrozny & Elkan 2002, doi:10.1145/775047.775151.
    """
    from sklearn.isotonic import IsotonicRegression  # here: its import takes a second

    truth, values = _checked(targets, scores)
    curves = {
        finding: IsotonicRegression(out_of_bounds="clip").fit(s, y)
        for finding, (y, s) in _fittable(truth, values)
    }

    def calibrate(others: np.ndarray) -> np.ndarray:
        moved = np.array(others, np.float64)
        for finding, curve in curves.items():
            moved[:, finding] = curve.predict(moved[:, finding])
        return moved

    return calibrate


@dataclass(frozen=True)
class Calibration:
    """A way to calibrate.

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
            "Logits divided by one number per finding: surer or less sure, the same ranking, the same 0.5.",
        ),
        Calibration(
            "platt", "Platt", platt, "A line through the logits of each finding: the 0.5 moves, too."
        ),
        Calibration(
            "isotonic", "isotonic", isotonic, "The best increasing curve; free of form, and hungry for data."
        ),
    )
}


def calibration(name: str) -> Calibration:
    """The calibration of this name.

    Raises:
        InputError: there is none; the sentence lists those there are.
    """
    return look_up("calibration", name, CALIBRATIONS)


def _loss(y: np.ndarray, logits: np.ndarray) -> float:
    """Mean negative log-likelihood."""
    return float((np.logaddexp(0, logits) - y * logits).mean())


def _fittable(truth: np.ndarray, values: np.ndarray) -> list[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """The findings with both kinds: index, and targets with values of the studies where it is known."""
    found = []
    for finding in range(truth.shape[1]):
        known = ~np.isnan(truth[:, finding])
        y = truth[known, finding]
        if (y == 1).any() and (y == 0).any():
            found.append((finding, (y, values[known, finding])))
    return found


def _checked(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, values = check_scores(targets, scores)
    return truth, values.astype(np.float64)
