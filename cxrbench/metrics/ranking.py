"""AUROC, average precision and their curves, one value per finding."""

from dataclasses import dataclass

import numpy as np

from cxrbench.metrics.checks import check_scores

__all__ = ["PrecisionRecall", "Roc", "auroc", "average_precision", "pr_curve", "roc_curve"]


@dataclass(frozen=True, eq=False)
class Roc:
    """ROC curve of one finding, from the highest threshold down; a score ≥ threshold is a positive call.

    Args:
        false_positive_rate: (T,) 1 − specificity, from 0 up to 1.
        sensitivity: (T,) true positive rate, from 0 up to 1.
        thresholds: (T,) descending; the first is +inf, without positive calls.
    """

    false_positive_rate: np.ndarray
    sensitivity: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision–recall curve of one finding, from the highest threshold down.

    Args:
        recall: (T,) sensitivity, from 0 up to 1.
        precision: (T,); 1 by convention at the first point, without positive calls.
        thresholds: (T,) descending; the first is +inf.
    """

    recall: np.ndarray
    precision: np.ndarray
    thresholds: np.ndarray


def auroc(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: the share of positive–negative pairs in the right order, ties counting half.

    AUROC = (Σ ranks of positives − P(P + 1)/2) / (P · M), with P positives, M negatives and tied scores
    sharing their mean rank. Ranks are doubled to stay integers, so that the result is one rounding away from
    the exact fraction.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L), any real numbers; higher means more likely positive.

    Returns:
        (L,) float64 in [0, 1]; NaN where a finding has no positive or no negative (CheXpert's validation file
        has no positive Fracture). `macro` omits these and counts them.

    Raises:
        InputError: the shapes differ, other targets (apply a policy first), or NaN scores.

    Reference:
        Mann & Whitney 1947, doi:10.1214/aoms/1177730491;
        Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    """
    truth, values = check_scores(targets, scores)
    first, last, ordered = _ties(truth, values)
    twice_rank = first + last + 2
    positives = (ordered == 1).sum(0)
    negatives = (ordered == 0).sum(0)
    pairs = positives * negatives
    wins = np.where(ordered == 1, twice_rank, 0).sum(0) - positives * (positives + 1)
    area = np.full(len(pairs), np.nan)
    np.divide(wins, 2 * pairs, out=area, where=pairs > 0)
    return area


def average_precision(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision: AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores as thresholds, not interpolated.

    Unlike AUROC it depends on prevalence: an uninformative score gets the prevalence of the finding.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L), any real numbers; higher means more likely positive.

    Returns:
        (L,) float64 in (0, 1]; NaN where a finding has no positive.

    Raises:
        InputError: the shapes differ, other targets (apply a policy first), or NaN scores.
    """
    truth, values = check_scores(targets, scores)
    # Ascending by −score: all images of a tie pass the threshold at its last position.
    _, last, ordered = _ties(truth, -values)
    tp = np.cumsum(ordered == 1, axis=0)
    precision = np.take_along_axis(tp, last, axis=0) / (last + 1)
    positives = (ordered == 1).sum(0)
    total = np.where(ordered == 1, precision, 0).sum(0)
    average = np.full(len(positives), np.nan)
    np.divide(total, positives, out=average, where=positives > 0)
    return average


def roc_curve(targets: np.ndarray, scores: np.ndarray) -> Roc:
    """ROC curve of one finding, one point per distinct score; the area under it is `auroc`.

    Args:
        targets: (N,) of 1, 0 and NaN (ignored).
        scores: (N,), any real numbers; higher means more likely positive.

    Returns:
        The curve; the false positive rate is NaN without a negative, the sensitivity without a positive.
    """
    tp, called, thresholds = _counts_by_threshold(targets, scores)
    fp = called - tp
    with np.errstate(invalid="ignore"):
        return Roc(fp / fp[-1], tp / tp[-1], thresholds)


def pr_curve(targets: np.ndarray, scores: np.ndarray) -> PrecisionRecall:
    """Precision–recall curve of one finding, one point per distinct score; arguments as for `roc_curve`.

    Linear interpolation between its points overestimates the area (Davis & Goadrich 2006,
    doi:10.1145/1143844.1143874); `average_precision` sums steps.
    """
    tp, called, thresholds = _counts_by_threshold(targets, scores)
    precision = np.concatenate(([1.0], tp[1:] / called[1:]))
    with np.errstate(invalid="ignore"):
        return PrecisionRecall(tp / tp[-1], precision, thresholds)


def _counts_by_threshold(
    targets: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True positives, all positive calls and thresholds, (T,) each, from +inf down."""
    truth, values = check_scores(np.reshape(targets, (-1, 1)), np.reshape(scores, (-1, 1)))
    known = ~np.isnan(truth[:, 0])
    truth, values = truth[known, 0], values[known, 0].astype(np.float64)
    order = np.argsort(-values, kind="stable")
    truth, values = truth[order], values[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], len(values) > 0))  # the end of each tie
    tp = np.concatenate(([0.0], np.cumsum(truth)[last]))
    called = np.concatenate(([0.0], last + 1.0))
    return tp, called, np.concatenate(([np.inf], values[last]))


def _ties(truth: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort columns ascending: first and last position (N, L) of each entry's tie, and targets (N, L).

    Unknown targets are sorted last, so that they shift no rank.
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
