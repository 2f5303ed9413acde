"""Arrays in, one value per finding out; undefined is NaN.

Unlike scikit-learn's, these metrics take all findings at once, ignore unknown targets (NaN), return NaN
without a warning where a value is undefined, and are available as counts or per-image values, which a
bootstrap can resample thousands of times. The tests compare each with scikit-learn.
"""

from cxrbench.metrics.averages import Average, macro, micro, weighted
from cxrbench.metrics.calibration import Reliability, brier, calibration_error, reliability
from cxrbench.metrics.decisions import (
    DECISIONS,
    Counts,
    Decision,
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    f1_macro,
    matthews,
    negative_predictive_value,
    precision,
    recall,
    specificity,
)
from cxrbench.metrics.delong import DeLong, delong
from cxrbench.metrics.intervals import Interval, Statistic, bootstrap
from cxrbench.metrics.ranking import PrecisionRecall, Roc, auroc, average_precision, pr_curve, roc_curve
from cxrbench.metrics.sets import coverage, hamming_loss, label_ranking_precision, subset_accuracy

__all__ = [
    "DECISIONS",
    "Average",
    "Counts",
    "DeLong",
    "Decision",
    "Interval",
    "PrecisionRecall",
    "Reliability",
    "Roc",
    "Statistic",
    "accuracy",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "bootstrap",
    "brier",
    "calibration_error",
    "confusion",
    "coverage",
    "delong",
    "f1",
    "f1_macro",
    "hamming_loss",
    "label_ranking_precision",
    "macro",
    "matthews",
    "micro",
    "negative_predictive_value",
    "pr_curve",
    "precision",
    "recall",
    "reliability",
    "roc_curve",
    "specificity",
    "subset_accuracy",
    "weighted",
]
