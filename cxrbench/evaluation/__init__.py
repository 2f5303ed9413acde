"""Evaluation of models on a data set: predictions in, metrics with intervals out."""

from cxrbench.evaluation.ensembles import Contender, Row, contenders, ranked, row
from cxrbench.evaluation.figures import (
    FIGURES,
    SETS,
    Figure,
    evaluate,
    figure,
    measure,
)
from cxrbench.evaluation.pairs import align, compare
from cxrbench.evaluation.prediction_csv import read_predictions
from cxrbench.evaluation.predictions import ABOUT, Predictions, join, write_predictions
from cxrbench.evaluation.subgroups import SUBGROUPS, Group, Subgroup, groups, subgroups

__all__ = [
    "ABOUT",
    "FIGURES",
    "SETS",
    "SUBGROUPS",
    "Contender",
    "Figure",
    "Group",
    "Predictions",
    "Row",
    "Subgroup",
    "align",
    "compare",
    "contenders",
    "evaluate",
    "figure",
    "groups",
    "join",
    "measure",
    "ranked",
    "read_predictions",
    "row",
    "subgroups",
    "write_predictions",
]
