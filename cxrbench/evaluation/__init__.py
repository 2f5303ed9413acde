"""Evaluation of models on a data set: predictions in, metrics with intervals out."""

from cxrbench.evaluation.leaderboard import Row, ranked, row
from cxrbench.evaluation.metrics import (
    METRICS,
    SETS,
    Metric,
    evaluate,
    measure,
    metric,
)
from cxrbench.evaluation.pairs import align, compare
from cxrbench.evaluation.prediction_csv import read_predictions
from cxrbench.evaluation.predictions import ABOUT, Predictions, from_studies, join, write_predictions
from cxrbench.evaluation.subgroups import SUBGROUPS, Group, Subgroup, groups, subgroups
from cxrbench.evaluation.systems import System, at_thresholds, decisions, fit_systems, operating_points

__all__ = [
    "ABOUT",
    "METRICS",
    "SETS",
    "SUBGROUPS",
    "Group",
    "Metric",
    "Predictions",
    "Row",
    "Subgroup",
    "System",
    "align",
    "at_thresholds",
    "compare",
    "decisions",
    "evaluate",
    "fit_systems",
    "from_studies",
    "groups",
    "join",
    "measure",
    "metric",
    "operating_points",
    "ranked",
    "read_predictions",
    "row",
    "subgroups",
    "write_predictions",
]
