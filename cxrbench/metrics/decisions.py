"""Metrics of the confusion matrix, one value per finding.

Every function takes targets (N, L) of 1, 0 and NaN (ignored), and calls (N, L): the predicted labels, true
where a score reaches its threshold. It returns (L,) float64, NaN where the value of a finding is undefined.
`DECISIONS` lists the metrics as functions of `Counts`, which also come from resampled studies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.metrics.checks import check_calls

__all__ = [
    "DECISIONS",
    "Counts",
    "Decision",
    "accuracy",
    "balanced_accuracy",
    "confusion",
    "f1",
    "f1_macro",
    "matthews",
    "negative_predictive_value",
    "precision",
    "recall",
    "specificity",
]


@dataclass(frozen=True, eq=False)
class Counts:
    """Confusion matrix counts of L findings, or of R resamples of them: arrays (..., L).

    Args:
        tp: true positives.
        fp: false positives.
        fn: false negatives.
        tn: true negatives.
    """

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray


def confusion(targets: np.ndarray, calls: np.ndarray) -> Counts:
    """Count true and false positives and negatives, per finding.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        calls: (N, L) bool.

    Raises:
        InputError: the shapes differ, other targets (apply a policy first), or calls that are not bool.
    """
    truth, called = check_calls(targets, calls)
    present, absent = truth == 1, truth == 0
    return Counts(
        tp=(called & present).sum(0),
        fp=(called & absent).sum(0),
        fn=(~called & present).sum(0),
        tn=(~called & absent).sum(0),
    )


def _recall(counts: Counts) -> np.ndarray:
    return _ratio(counts.tp, counts.tp + counts.fn)


def _specificity(counts: Counts) -> np.ndarray:
    return _ratio(counts.tn, counts.tn + counts.fp)


def _precision(counts: Counts) -> np.ndarray:
    return _ratio(counts.tp, counts.tp + counts.fp)


def _negative_predictive_value(counts: Counts) -> np.ndarray:
    return _ratio(counts.tn, counts.tn + counts.fn)


def _accuracy(counts: Counts) -> np.ndarray:
    correct = counts.tp + counts.tn
    return _ratio(correct, correct + counts.fn + counts.fp)


def _balanced_accuracy(counts: Counts) -> np.ndarray:
    balanced: np.ndarray = (_recall(counts) + _specificity(counts)) / 2
    return balanced


def _f1(counts: Counts) -> np.ndarray:
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fn + counts.fp)


def _f1_macro(counts: Counts) -> np.ndarray:
    f1_negative = _ratio(2 * counts.tn, 2 * counts.tn + counts.fn + counts.fp)
    mean: np.ndarray = (_f1(counts) + f1_negative) / 2
    return mean


def _matthews(counts: Counts) -> np.ndarray:
    # In floats: the product of four counts of a large data set overflows 64 bits.
    tp, fp, fn, tn = (np.asarray(n, np.float64) for n in (counts.tp, counts.fp, counts.fn, counts.tn))
    spread = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    return _ratio(tp * tn - fp * fn, spread)


def recall(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Sensitivity: TP ÷ (TP + FN); undefined without a positive."""
    return _recall(confusion(targets, calls))


def specificity(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """TN ÷ (TN + FP); undefined without a negative."""
    return _specificity(confusion(targets, calls))


def precision(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Positive predictive value: TP ÷ (TP + FP); undefined (not 0) without a predicted positive."""
    return _precision(confusion(targets, calls))


def negative_predictive_value(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """TN ÷ (TN + FN); undefined without a predicted negative."""
    return _negative_predictive_value(confusion(targets, calls))


def accuracy(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """(TP + TN) ÷ N; high for a rare finding that is never predicted."""
    return _accuracy(confusion(targets, calls))


def balanced_accuracy(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Mean of sensitivity and specificity; undefined where one of them is."""
    return _balanced_accuracy(confusion(targets, calls))


def f1(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """F1 of the positive class: 2TP ÷ (2TP + FP + FN); undefined without a positive or predicted positive."""
    return _f1(confusion(targets, calls))


def f1_macro(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Mean of the F1 of the positive and of the negative class, as in Liz et al. 2022 (arXiv:2207.14408).

    It is high for a rare finding that is never predicted: the F1 of the negative class is half of it.
    """
    return _f1_macro(confusion(targets, calls))


def matthews(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Matthews correlation coefficient: (TP·TN − FP·FN) ÷ √((TP+FP)(TP+FN)(TN+FP)(TN+FN)), in [−1, 1].

    Undefined where all targets of a finding are the same, or all calls.

    Reference: Matthews 1975, doi:10.1016/0005-2795(75)90109-9.
    """
    return _matthews(confusion(targets, calls))


@dataclass(frozen=True)
class Decision:
    """A metric of predicted labels.

    Args:
        name: its key.
        title: for tables.
        compute: counts (..., L) → values (..., L).
        summary: one sentence for a reader.
    """

    name: str
    title: str
    compute: Callable[[Counts], np.ndarray]
    summary: str


DECISIONS: Final[dict[str, Decision]] = {
    record.name: record
    for record in (
        Decision("sensitivity", "sensitivity", _recall, "The share of positives found: TP ÷ (TP + FN)."),
        Decision(
            "specificity",
            "specificity",
            _specificity,
            "The share of negatives predicted negative: TN ÷ (TN + FP).",
        ),
        Decision(
            "precision", "precision", _precision, "The share of correct positive calls: TP ÷ (TP + FP)."
        ),
        Decision(
            "npv",
            "NPV",
            _negative_predictive_value,
            "The share of correct negative calls: TN ÷ (TN + FN).",
        ),
        Decision(
            "accuracy", "accuracy", _accuracy, "The share of correct predictions; high for rare findings."
        ),
        Decision(
            "balanced_accuracy",
            "balanced accuracy",
            _balanced_accuracy,
            "The mean of sensitivity and specificity.",
        ),
        Decision("f1", "F1", _f1, "The harmonic mean of precision and sensitivity."),
        Decision(
            "f1_macro",
            "macro-F1",
            _f1_macro,
            "The mean of the F1 of the positive and of the negative class (Liz et al. 2022).",
        ),
        Decision(
            "matthews",
            "MCC",
            _matthews,
            "The Matthews correlation of predictions and targets: 0 by chance, 1 at best.",
        ),
    )
}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    ratio = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
