"""Macro, weighted and micro averages, and the number of findings that are defined."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Average", "macro", "micro", "weighted"]


@dataclass(frozen=True)
class Average:
    """Average of a metric over findings, with the number of findings.

    Args:
        value: the average; NaN where no finding has a value.
        findings: number of findings averaged.
        left_out: number of findings omitted because their value is undefined.
    """

    value: float
    findings: int
    left_out: int

    def __str__(self) -> str:
        text = f"{self.value:.3f} over {self.findings} findings"
        return f"{text} ({self.left_out} undefined)" if self.left_out else text


def macro(values: np.ndarray) -> Average:
    """Unweighted mean of the defined values (L,): a rare finding counts as much as a common one."""
    return weighted(values, np.ones(len(values)))


def weighted(values: np.ndarray, positives: np.ndarray) -> Average:
    """Mean of the defined values (L,), weighted by the number of positives (L,) of each finding."""
    values, weights = np.asarray(values, np.float64), np.asarray(positives, np.float64)
    counted = ~np.isnan(values) & (weights > 0)
    value = float(np.average(values[counted], weights=weights[counted])) if counted.any() else float("nan")
    return Average(value, int(counted.sum()), int(len(values) - counted.sum()))


def micro(
    metric: Callable[[np.ndarray, np.ndarray], np.ndarray], targets: np.ndarray, answers: np.ndarray
) -> Average:
    """Micro average: a metric over all (image, finding) pairs; common findings count most.

    A micro-averaged AUROC compares scores of different findings, which are not on a common scale.

    Args:
        metric: targets (N, 1), answers (N, 1) → (1,); any of this library with one value per finding.
        targets: (N, L) of 1, 0 and NaN.
        answers: (N, L), scores or calls.
    """
    used = int((~np.isnan(targets)).any(0).sum())
    value = metric(np.reshape(targets, (-1, 1)), np.reshape(answers, (-1, 1)))
    return Average(float(value[0]), used, targets.shape[1] - used)
