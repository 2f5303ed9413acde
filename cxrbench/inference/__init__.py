"""Predictions of models, alone and in ensembles."""

from cxrbench.inference.calibration import CALIBRATIONS, Calibration, calibration
from cxrbench.inference.ensemble import ENSEMBLES, Answer, Ensemble, ensemble
from cxrbench.inference.predict import Outputs, predict, rescale, scores_of, stream
from cxrbench.inference.thresholds import THRESHOLDS, Threshold, threshold

__all__ = [
    "CALIBRATIONS",
    "ENSEMBLES",
    "THRESHOLDS",
    "Answer",
    "Calibration",
    "Ensemble",
    "Outputs",
    "Threshold",
    "calibration",
    "ensemble",
    "predict",
    "rescale",
    "scores_of",
    "stream",
    "threshold",
]
