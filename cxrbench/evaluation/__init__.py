"""What models are worth on a data set: predictions in, figures with intervals out."""

from cxrbench.evaluation.figures import (
    FIGURES,
    SETS,
    Figure,
    align,
    compare,
    evaluate,
    figure,
    measure,
)
from cxrbench.evaluation.predictions import ABOUT, Predictions, join, read_predictions, write_predictions

__all__ = [
    "ABOUT",
    "FIGURES",
    "SETS",
    "Figure",
    "Predictions",
    "align",
    "compare",
    "evaluate",
    "figure",
    "join",
    "measure",
    "read_predictions",
    "write_predictions",
]
