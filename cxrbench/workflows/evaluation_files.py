"""The files that an evaluation writes: their names, and the tables among them."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Final

import numpy as np

from cxrbench.evaluation import Predictions, Row, align, compare
from cxrbench.metrics import roc_curve
from cxrbench.models.folder import EVALUATION, PREDICTIONS
from cxrbench.writing import OwnFolder

__all__ = ["REPORT", "output_files", "write_curves", "write_ensembles", "write_pairs"]

# In the folder of each model, beside its predictions and metrics; then those of all models.
CURVES: Final = "curves.csv"
PAIRS: Final = "pairs.csv"
ENSEMBLES: Final = "ensembles.csv"
REPORT: Final = "report.html"


def output_files(names: Sequence[str]) -> list[str]:
    """Every file that an evaluation of these models may write, below its folder."""
    each = (PREDICTIONS, EVALUATION, CURVES)
    return [f"{model}/{file}" for model in names for file in each] + [PAIRS, ENSEMBLES, REPORT]


def write_curves(out: OwnFolder, test: Predictions) -> None:
    """Every point of every ROC curve, one row per distinct score; precision follows from the counts."""
    with out.open_text(f"{test.name}/{CURVES}") as stream:
        table = csv.writer(stream)
        table.writerow(["finding", "threshold", "false_positive_rate", "sensitivity"])
        for index, label in enumerate(test.labels):
            curve = roc_curve(test.targets[:, index], test.scores[:, index])
            for point in zip(curve.thresholds, curve.false_positive_rate, curve.sensitivity, strict=True):
                table.writerow([label, *(f"{value:.6g}" for value in point)])


def write_pairs(out: OwnFolder, tests: Sequence[Predictions], resamples: int) -> None:
    """AUROC of one model minus another's on the images that both saw, by finding and on the mean."""
    lines: list[list[object]] = []
    for one, other in combinations(tests, 2):
        first, second = align([one, other])
        cuts = np.full(len(first.labels), 0.5)  # AUROC uses none
        for mean, names in ((False, first.labels), (True, ("mean",))):
            gap = compare((first, cuts), (second, cuts), mean=mean, count=resamples)
            for name, *values in zip(names, gap.estimate, gap.low, gap.high, gap.p, strict=True):
                lines.append([one.name, other.name, name, *(f"{value:.6g}" for value in values)])
    if lines:
        with out.open_text(PAIRS) as stream:
            table = csv.writer(stream)
            table.writerow(["first", "second", "finding", "difference", "low", "high", "p"])
            table.writerows(lines)


def write_ensembles(out: OwnFolder, rows: Sequence[Row]) -> None:
    """One row per model and ensemble, one column per metric."""
    with out.open_text(ENSEMBLES) as stream:
        table = csv.DictWriter(stream, list(asdict(rows[0])))
        table.writeheader()
        table.writerows(asdict(each) for each in rows)
