"""Predictions of models, alone and in ensembles."""

from cxrbench.inference.calibration import CALIBRATIONS, Calibration, calibration
from cxrbench.inference.ensemble import ENSEMBLES, Ensemble, EnsemblePrediction, ensemble
from cxrbench.inference.predict import Outputs, predict, rescale, sigmoid, stream
from cxrbench.inference.thresholds import THRESHOLDS, Threshold, threshold

__all__ = [
    "CALIBRATIONS",
    "ENSEMBLES",
    "THRESHOLDS",
    "Calibration",
    "Ensemble",
    "EnsemblePrediction",
    "Outputs",
    "Threshold",
    "calibration",
    "ensemble",
    "predict",
    "rescale",
    "sigmoid",
    "stream",
    "threshold",
]
