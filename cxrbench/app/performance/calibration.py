"""Calibration tab of the Performance page: reliability diagrams, ECE and Brier score."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.performance.curve_data import digest, resample_count
from cxrbench.app.performance.tables import metric_columns
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import number_columns
from cxrbench.evaluation import METRICS, Predictions, System, measure
from cxrbench.figures.curves import reliability_chart
from cxrbench.inference import CALIBRATIONS
from cxrbench.metrics import reliability

__all__ = ["calibrated", "calibration_part"]


def calibration_part(systems: Sequence[System], finding: str) -> None:
    """Draw reliability diagrams, ECE and Brier score, before or after calibration."""
    fitted = systems[0].fitted is not systems[0].shown and len(systems[0].fitted) > 0
    options = {"as they are": "Uncalibrated", **{key: record.title for key, record in CALIBRATIONS.items()}}
    method = st.segmented_control(
        "Scores",
        list(options) if fitted else ["as they are"],
        format_func=options.__getitem__,
        default="as they are",
        required=True,
        key="calibration_how",
        help="Calibration is fitted on the validation images and evaluated on the selected ones.",
    )
    if method in CALIBRATIONS:
        terms.caption(CALIBRATIONS[method].summary)
    curves, metrics = {}, []
    for system in systems:
        if not system.graded:
            continue
        truth, scores, row = calibrated(system, finding, method or "as they are")
        curve = reliability(truth, scores)
        curves[system.title] = pd.DataFrame(
            {"score": curve.score, "share": curve.share, "images": curve.studies}
        )
        metrics.append(row)
    if not curves:
        st.info("Votes are not probabilities: select a model, or an ensemble that averages scores.")
        return
    left, right = st.columns([3, 2])
    with left:
        charts.show(reliability_chart(curves, finding), alt_text=f"Reliability diagram of {finding}.")
    with right:
        table = pd.DataFrame(metrics)
        st.dataframe(table, hide_index=True, column_config=number_columns(table))
        terms.caption(
            "Reliability diagram in ten bins: mean score against the fraction of positives; small markers: "
            "few images. Dotted line: perfect calibration; below it scores are too high, above it too low. "
            "ECE (expected calibration error) is the mean distance from the line, Brier the mean squared "
            "error; both are 0 at best. low, high: 95 % bootstrap confidence interval."
        )


def calibrated(system: System, finding: str, method: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return ground truth (N,), scores (N,), and Brier score and ECE with their intervals."""
    column = system.shown.labels.index(finding)
    shown, fitted = (part.columns((finding,)) for part in (system.shown, system.fitted))
    key = f"{digest(system, [column])} {len(fitted)} {fitted.scores.sum()}"
    scores, metrics = _calibrated(key, method, shown, fitted)
    return shown.targets[:, 0], scores, {"system": system.title, **metrics}


@st.cache_data(max_entries=200, show_spinner="Calibrating …")
def _calibrated(
    key: str, method: str, _shown: Predictions, _fitted: Predictions
) -> tuple[np.ndarray, dict[str, float]]:
    scores = _shown.scores
    if method in CALIBRATIONS:
        scores = CALIBRATIONS[method].fit(_fitted.targets, _fitted.scores)(scores).astype(np.float32)
    predictions = replace(_shown, scores=scores)
    count = resample_count(len(predictions))
    intervals = measure(predictions, np.full(1, 0.5), ("calibration_error", "brier"), count=count)
    metrics: dict[str, float] = {}
    for name, interval in intervals.items():
        metrics |= metric_columns(METRICS[name].title, interval, 0)
    return scores[:, 0], metrics
