"""Metrics of the confusion matrix, one value per finding.

Every function takes targets (N, L) of 1, 0 and NaN for what is left out, and calls (N, L), true where a
finding is called present; it returns (L,) float64, NaN where a finding's value is undefined. `DECISIONS`
lists them as functions of `Counts`, which also come from resampled studies.
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
    """The confusion counts of L findings (or of R resamples of them): arrays (..., L).

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
    """The four counts of every finding.

    Args:
        targets: (N, L) of 1, 0, and NaN for what is left out.
        calls: (N, L) bool: called present.

    Raises:
        InputError: shapes that differ, other targets (apply a policy first), or calls that are not yes or no.
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
    return (_recall(counts) + _specificity(counts)) / 2


def _f1(counts: Counts) -> np.ndarray:
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fn + counts.fp)


def _f1_macro(counts: Counts) -> np.ndarray:
    absent = _ratio(2 * counts.tn, 2 * counts.tn + counts.fn + counts.fp)
    return (_f1(counts) + absent) / 2


def _matthews(counts: Counts) -> np.ndarray:
    # In floats: the product of four counts of a large data set leaves 64 bits.
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
    """Positive predictive value: TP ÷ (TP + FP); undefined where nothing is called (not 0)."""
    return _precision(confusion(targets, calls))


def negative_predictive_value(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """TN ÷ (TN + FN); undefined where everything is called."""
    return _negative_predictive_value(confusion(targets, calls))


def accuracy(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """The share of right answers; for a rare finding, never calling it scores high."""
    return _accuracy(confusion(targets, calls))


def balanced_accuracy(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """The mean of sensitivity and specificity; undefined where one of them is."""
    return _balanced_accuracy(confusion(targets, calls))


def f1(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """F1 of the positive class: 2TP ÷ (2TP + FP + FN); undefined where nothing is present or called."""
    return _f1(confusion(targets, calls))


def f1_macro(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Mean of the F1 of "present" and the F1 of "absent", the F1 of Liz et al. 2022 (arXiv:2207.14408).

    It is high for a rare finding that is never called: the F1 of "absent" makes half of it.
    """
    return _f1_macro(confusion(targets, calls))


def matthews(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Matthews' correlation: (TP·TN − FP·FN) ÷ √((TP+FP)(TP+FN)(TN+FP)(TN+FN)), in [−1, 1].

    Undefined where a finding is always or never present, or always or never called.

    Reference: Matthews 1975, doi:10.1016/0005-2795(75)90109-9.
    """
    return _matthews(confusion(targets, calls))


@dataclass(frozen=True)
class Decision:
    """A figure of merit of yes-or-no answers.

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
        Decision("sensitivity", "sensitivity", _recall, "Of those who have it, the share that is called."),
        Decision(
            "specificity", "specificity", _specificity, "Of those who do not, the share that is left alone."
        ),
        Decision("precision", "precision", _precision, "Of those called, the share that has it."),
        Decision(
            "npv", "NPV", _negative_predictive_value, "Of those not called, the share that does not have it."
        ),
        Decision("accuracy", "accuracy", _accuracy, "The share of right answers; high for what is rare."),
        Decision(
            "balanced_accuracy",
            "balanced accuracy",
            _balanced_accuracy,
            "The mean of sensitivity and specificity.",
        ),
        Decision("f1", "F1", _f1, "The harmonic mean of precision and sensitivity, of what is present."),
        Decision(
            "f1_macro",
            "macro-F1",
            _f1_macro,
            "The mean of the F1 of present and of absent (Liz et al. 2022).",
        ),
        Decision("matthews", "MCC", _matthews, "The correlation of calls and truth: 0 by chance, 1 at best."),
    )
}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
