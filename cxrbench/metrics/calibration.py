"""Calibration error, Brier score and reliability, one value per finding."""

from dataclasses import dataclass

import numpy as np

from cxrbench.errors import InputError
from cxrbench.metrics.checks import check_scores

__all__ = ["Reliability", "brier", "calibration_error", "reliability"]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Reliability curve of one finding, over the B bins that contain at least one study.

    Args:
        score: (B,) mean score of each bin.
        share: (B,) fraction of positives in each bin.
        studies: (B,) number of studies in each bin.
    """

    score: np.ndarray
    share: np.ndarray
    studies: np.ndarray


def brier(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Brier score: mean of (score − target)², lower is better; p(1 − p) if every score is the prevalence p.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L) in [0, 1].

    Returns:
        (L,) in [0, 1]; NaN where a finding has no target.

    Reference: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    truth, values = _checked(targets, scores)
    known = ~np.isnan(truth)
    square = np.where(known, (values - truth) ** 2, 0).sum(0)
    score = np.full(truth.shape[1], np.nan)
    np.divide(square, known.sum(0), out=score, where=known.any(0))
    return score


def reliability(targets: np.ndarray, scores: np.ndarray, *, bins: int = 10) -> Reliability:
    """Reliability curve of one finding, in bins of equal width [low, high); the last bin includes 1.

    Args:
        targets: (N,) of 1, 0 and NaN (ignored).
        scores: (N,) in [0, 1].
        bins: number of bins; empty ones are omitted.
    """
    truth, values = _checked(np.reshape(targets, (-1, 1)), np.reshape(scores, (-1, 1)))
    known = ~np.isnan(truth[:, 0])
    truth, values = truth[known, 0], values[known, 0]
    which = np.minimum((values * bins).astype(np.int64), bins - 1)
    studies = np.bincount(which, minlength=bins)
    used = studies > 0
    score = np.bincount(which, weights=values, minlength=bins)[used] / studies[used]
    share = np.bincount(which, weights=truth, minlength=bins)[used] / studies[used]
    return Reliability(score, share, studies[used])


def calibration_error(targets: np.ndarray, scores: np.ndarray, *, bins: int = 10) -> np.ndarray:
    """Expected calibration error: Σ over bins of (n_b ÷ N) · |fraction of positives − mean score|.

    It depends on the bins, and is biased upwards where bins contain few studies.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L) in [0, 1].
        bins: number of bins, of equal width.

    Returns:
        (L,) in [0, 1]; NaN where a finding has no target.

    Reference: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; Guo et al. 2017, arXiv:1706.04599.
    """
    truth, values = _checked(targets, scores)
    errors = np.full(truth.shape[1], np.nan)
    for finding in range(truth.shape[1]):
        curve = reliability(truth[:, finding], values[:, finding], bins=bins)
        if len(curve.studies):
            errors[finding] = np.average(np.abs(curve.share - curve.score), weights=curve.studies)
    return errors


def _checked(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, values = check_scores(targets, scores)
    inside = values[~np.isnan(truth)]
    if ((inside < 0) | (inside > 1)).any():
        raise InputError(
            "Scores must lie in [0, 1] for calibration metrics; "
            f"got {inside.min():.4g} to {inside.max():.4g}: take the sigmoid of logits first."
        )
    return truth, values.astype(np.float64)
