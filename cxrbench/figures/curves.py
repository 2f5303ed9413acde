"""ROC, precision–recall and reliability curves of many findings in one figure each."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from cxrbench.metrics import pr_curve, reliability, roc_curve

__all__ = ["pr_figure", "reliability_figure", "roc_figure"]

_POINTS = 300  # a curve: more cannot be told apart on a screen


def roc_figure(targets: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """ROC curves of the findings that have both kinds, with the line of chance.

    Args:
        targets: (N, L) of 1, 0 and NaN.
        scores: (N, L).
        labels: L names.
    """
    lines = {}
    for index, label in enumerate(labels):
        curve = roc_curve(targets[:, index], scores[:, index])
        lines[label] = (curve.false_positive_rate, curve.sensitivity)
    figure = _lines(lines, "1 − specificity", "sensitivity")
    return figure.add_scatter(x=[0, 1], y=[0, 1], name="chance", line={"dash": "dot", "color": "grey"})


def pr_figure(targets: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """Precision–recall curves; arguments as of `roc_figure`."""
    lines = {}
    for index, label in enumerate(labels):
        curve = pr_curve(targets[:, index], scores[:, index])
        lines[label] = (curve.recall, curve.precision)
    return _lines(lines, "recall (sensitivity)", "precision", shape="hv")


def reliability_figure(targets: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """Share of positives by mean score, in ten bins, with the line of what is calibrated."""
    lines = {}
    for index, label in enumerate(labels):
        curve = reliability(targets[:, index], scores[:, index])
        lines[label] = (curve.score, curve.share)
    figure = _lines(lines, "mean score", "share of positives")
    return figure.add_scatter(x=[0, 1], y=[0, 1], name="calibrated", line={"dash": "dot", "color": "grey"})


def _lines(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], across: str, up: str, *, shape: str = "linear"
) -> go.Figure:
    figure = go.Figure()
    for place, (label, (x, y)) in enumerate(lines.items()):
        if np.isnan(x).any() or np.isnan(y).any():
            continue  # undefined: a kind is missing
        kept = np.unique(np.linspace(0, len(x) - 1, min(_POINTS, len(x))).astype(int))
        # Lists: plotly's binary arrays would make the file unreadable.
        figure.add_scatter(
            x=x[kept].round(4).tolist(),
            y=y[kept].round(4).tolist(),
            name=label,
            mode="lines",
            # Ten colours, then the same ones dashed.
            line={"shape": shape, "dash": "solid" if place < 10 else "dash"},
        )
    axis = {"range": [0, 1.01], "constrain": "domain"}
    figure.update_xaxes(title=across, **axis)
    figure.update_yaxes(title=up, **axis)
    below = {"orientation": "h", "y": -0.15, "yanchor": "top"}  # beside, it would leave a phone no picture
    return figure.update_layout(height=640, legend=below, margin={"t": 24, "r": 8, "b": 8, "l": 56})
