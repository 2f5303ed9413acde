"""Predictions of models, alone and in ensembles."""

from cxrbench.inference.calibration import CALIBRATIONS, Calibration, calibration
from cxrbench.inference.ensemble import ENSEMBLES, Ensemble, EnsemblePrediction, ensemble
from cxrbench.inference.film_checks import (
    FILM_CHECKS,
    FilmCheck,
    FilmMeasures,
    Notice,
    film_notices,
    measure_film,
    without_distance,
)
from cxrbench.inference.out_of_distribution import LIMIT, fit_statistics, pooled_features, relative_distances
from cxrbench.inference.predict import Outputs, Row, forward, predict, rescale, sigmoid, stream, stream_rows
from cxrbench.inference.thresholds import THRESHOLDS, Threshold, threshold

__all__ = [
    "CALIBRATIONS",
    "ENSEMBLES",
    "FILM_CHECKS",
    "LIMIT",
    "THRESHOLDS",
    "Calibration",
    "Ensemble",
    "EnsemblePrediction",
    "FilmCheck",
    "FilmMeasures",
    "Notice",
    "Outputs",
    "Row",
    "Threshold",
    "calibration",
    "ensemble",
    "film_notices",
    "fit_statistics",
    "forward",
    "measure_film",
    "pooled_features",
    "predict",
    "relative_distances",
    "rescale",
    "sigmoid",
    "stream",
    "stream_rows",
    "threshold",
    "without_distance",
]
