"""Calibration section of the Performance page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.performance.curve_data import digest, resample_count
from cxrbench.app.performance.tables import ends
from cxrbench.app.widgets import charts
from cxrbench.app.widgets.tables import rounded
from cxrbench.evaluation import METRICS, Predictions, System, measure
from cxrbench.figures.curves import reliability_chart
from cxrbench.inference import CALIBRATIONS
from cxrbench.metrics import reliability

__all__ = ["calibrated", "calibration_part"]


def calibration_part(systems: Sequence[System], finding: str) -> None:
    """Whether a score of 0.7 means 70 %."""
    fitted = systems[0].fitted is not systems[0].shown and len(systems[0].fitted) > 0
    options = {"as they are": "As they are", **{key: record.title for key, record in CALIBRATIONS.items()}}
    how = st.segmented_control(
        "Scores",
        list(options) if fitted else ["as they are"],
        format_func=options.__getitem__,
        default="as they are",
        required=True,
        key="calibration_how",
        help="A calibration is fitted on the validation images and shown on the others.",
    )
    if how in CALIBRATIONS:
        st.caption(CALIBRATIONS[how].summary)
    curves, figures = {}, []
    for system in systems:
        if not system.graded:
            continue
        truth, scores, said = calibrated(system, finding, how or "as they are")
        curve = reliability(truth, scores)
        curves[system.title] = pd.DataFrame(
            {"score": curve.score, "share": curve.share, "images": curve.studies}
        )
        figures.append(said)
    if not curves:
        st.info("Votes are not probabilities: choose a model, or an ensemble that averages scores.")
        return
    left, right = st.columns([3, 2])
    with left:
        charts.show(reliability_chart(curves, finding), alt_text=f"Reliability of {finding}.")
    with right:
        table = pd.DataFrame(figures)
        st.dataframe(table, hide_index=True, column_config=rounded(table))
        st.caption(
            "On the dotted line a score is the share of images with the finding. Below it scores are too "
            "high, above it too low. Each marker is one tenth of the scale; small markers: few images. ECE "
            "is the mean distance from the line, Brier the mean squared error of the scores: both 0 at best."
        )


def calibrated(system: System, finding: str, how: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Truth (N,), scores (N,) after calibration, and its Brier and ECE with their intervals."""
    column = system.shown.labels.index(finding)
    shown, fitted = (part.columns((finding,)) for part in (system.shown, system.fitted))
    key = f"{digest(system, [column])} {len(fitted)} {fitted.scores.sum()}"
    scores, figures = _calibrated(key, how, shown, fitted)
    return shown.targets[:, 0], scores, {"system": system.title, **figures}


@st.cache_data(max_entries=200, show_spinner="Calibrating …")
def _calibrated(
    key: str, how: str, _shown: Predictions, _fitted: Predictions
) -> tuple[np.ndarray, dict[str, float]]:
    scores = _shown.scores
    if how in CALIBRATIONS:
        scores = CALIBRATIONS[how].fit(_fitted.targets, _fitted.scores)(scores).astype(np.float32)
    one = replace(_shown, scores=scores)
    found = measure(one, np.full(1, 0.5), ("calibration_error", "brier"), count=resample_count(len(one)))
    figures: dict[str, float] = {}
    for name, interval in found.items():
        figures |= ends(METRICS[name].title, interval, 0)
    return scores[:, 0], figures
