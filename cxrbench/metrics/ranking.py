"""How well scores order positives above negatives, one value a finding."""

import numpy as np

from cxrbench.errors import InputError

__all__ = ["auroc", "average_precision"]


def auroc(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: the share of positive–negative pairs in the right order, ties counting half.

    AUROC = (Σ ranks of positives − P(P + 1)/2) / (P · M), with P positives, M negatives and tied scores
    sharing their mean rank. Ranks are counted in whole numbers (twice a rank), so that the result is one
    rounding away from the exact fraction.

    Args:
        targets: (N, L) of 1, 0, and NaN for what is left out.
        scores: (N, L), any real numbers; higher means more likely positive.

    Returns:
        (L,) float64 in [0, 1]; NaN where a finding has no positive or no negative (CheXpert's validation file
        has no positive Fracture). Leave those out of a mean, and say so.

    Raises:
        InputError: shapes that differ, other targets (apply a policy first), or NaN scores.

    Reference:
        Mann & Whitney 1947, doi:10.1214/aoms/1177730491;
        Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    """
    truth, values = _checked(targets, scores)
    first, last, ordered = _ties(truth, values)
    twice_rank = first + last + 2
    positives = (ordered == 1).sum(0)
    negatives = (ordered == 0).sum(0)
    pairs = positives * negatives
    wins = np.where(ordered == 1, twice_rank, 0).sum(0) - positives * (positives + 1)
    return np.divide(wins, 2 * pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def average_precision(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision: AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores as thresholds, not interpolated.

    Unlike AUROC it depends on how common a finding is: a score without information gets its prevalence.

    Args:
        targets: (N, L) of 1, 0, and NaN for what is left out.
        scores: (N, L), any real numbers; higher means more likely positive.

    Returns:
        (L,) float64 in (0, 1]; NaN where a finding has no positive.

    Raises:
        InputError: shapes that differ, other targets (apply a policy first), or NaN scores.
    """
    truth, values = _checked(targets, scores)
    # Ascending by −score: the last of a tie is where its threshold lets all of it through.
    _, last, ordered = _ties(truth, -values)
    hits = np.cumsum(ordered == 1, axis=0)
    precision = np.take_along_axis(hits, last, axis=0) / (last + 1)
    positives = (ordered == 1).sum(0)
    gained = np.where(ordered == 1, precision, 0).sum(0)
    return np.divide(gained, positives, out=np.full(len(positives), np.nan), where=positives > 0)


def _checked(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of floats (N, L); scores keep their precision, which decides about ties."""
    truth, values = np.asarray(targets, np.float64), np.asarray(scores)
    values = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
    if truth.ndim != 2 or truth.shape != values.shape:
        raise InputError(
            f"Targets and scores must be (N, L) both; got shapes {truth.shape} and {values.shape}."
        )
    if not (np.isnan(truth) | np.isin(truth, (0, 1))).all():
        raise InputError(
            "Targets must be 1, 0 or NaN to be ranked; apply a policy to uncertain labels first."
        )
    if np.isnan(values[~np.isnan(truth)]).any():
        raise InputError("Scores must be numbers wherever there is a target; got NaN.")
    return truth, values


def _ties(truth: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns in ascending order: first and last position (N, L) of each one's tie, and the targets (N, L).

    What is masked stands behind everything else, so that it shifts no rank.
    """
    keys = np.where(np.isnan(truth), np.nan, values)  # argsort puts NaN last
    order = np.argsort(keys, axis=0, kind="stable")
    keys, ordered = np.take_along_axis(keys, order, 0), np.take_along_axis(truth, order, 0)
    count = len(keys)
    positions = np.arange(count)[:, None]
    starts = np.ones(keys.shape, bool)
    starts[1:] = keys[1:] != keys[:-1]
    ends = np.ones(keys.shape, bool)
    ends[:-1] = starts[1:]
    first = np.maximum.accumulate(np.where(starts, positions, 0), axis=0)
    last = np.minimum.accumulate(np.where(ends, positions, count)[::-1], axis=0)[::-1]
    return first, last, ordered
