"""Models and ensembles in one table, and which of them is best by each metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.evaluation.systems import System
from cxrbench.metrics import auroc, average_precision, averages, f1, f1_macro, hamming_loss, subset_accuracy

__all__ = ["Row", "ranked", "row"]

_METRICS: Final = (
    "auroc",
    "auroc_of_calls",
    "average_precision",
    "f1",
    "f1_macro",
    "hamming_loss",
    "subset_accuracy",
)


@dataclass(frozen=True)
class Row:
    """The metrics of a model or ensemble: means over the findings for which they are defined.

    Args:
        name: of the model or ensemble.
        title: for tables.
        ensemble: whether it is an ensemble.
        auroc: of the scores.
        auroc_of_calls: of the decisions taken as scores of 0 and 1, as Liz et al. 2022 evaluate votes: the
            mean of sensitivity and specificity.
        average_precision: of the scores.
        f1: of the positive class.
        f1_macro: the mean of the F1 of both classes (Liz et al. 2022).
        hamming_loss: mean share of wrong decisions; the only one of which less is better.
        subset_accuracy: share of images with every decision right.
    """

    name: str
    title: str
    ensemble: bool
    auroc: float
    auroc_of_calls: float
    average_precision: float
    f1: float
    f1_macro: float
    hamming_loss: float
    subset_accuracy: float


def row(system: System) -> Row:
    """The metrics of one model or ensemble."""
    truth, scores, calls = system.shown.targets, system.shown.scores, system.calls
    return Row(
        system.name,
        system.title,
        system.ensemble,
        auroc=averages.macro(auroc(truth, scores)).value,
        auroc_of_calls=averages.macro(auroc(truth, calls)).value,
        average_precision=averages.macro(average_precision(truth, scores)).value,
        f1=averages.macro(f1(truth, calls)).value,
        f1_macro=averages.macro(f1_macro(truth, calls)).value,
        hamming_loss=float(np.nanmean(hamming_loss(truth, calls))),
        subset_accuracy=float(np.nanmean(subset_accuracy(truth, calls))),
    )


def ranked(rows: Sequence[Row]) -> dict[str, str]:
    """Metric → title of the best row by it; which one is best depends on the metric (Liz et al. 2022)."""
    best = {}
    for name in _METRICS:
        sign = -1 if name == "hamming_loss" else 1
        values = {row.title: sign * getattr(row, name) for row in rows}
        best[name] = max(values, key=values.__getitem__)
    return best
