"""What models are worth on a data set: predictions in, figures with intervals out."""

from cxrbench.evaluation.predictions import ABOUT, Predictions, read_predictions, write_predictions

__all__ = ["ABOUT", "Predictions", "read_predictions", "write_predictions"]
