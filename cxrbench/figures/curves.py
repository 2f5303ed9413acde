"""ROC, precision–recall and reliability curves of many findings in one figure each."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxrbench.figures.charts import COLOURS, GRID, LINE, marker, style, wrapped
from cxrbench.metrics import pr_curve, reliability, roc_curve

__all__ = ["pr_figure", "reliability_chart", "reliability_figure", "roc_figure"]

_MAX_POINTS = 300  # per curve: more cannot be distinguished on a screen


def roc_figure(targets: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """ROC curves of the findings with positives and negatives, and the line of chance.

    Args:
        targets: (N, L), 1, 0 or NaN.
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
    """Precision–recall curves; arguments as in `roc_figure`."""
    lines = {}
    for index, label in enumerate(labels):
        curve = pr_curve(targets[:, index], scores[:, index])
        lines[label] = (curve.recall, curve.precision)
    return _lines(lines, "recall (sensitivity)", "precision", shape="hv")


def reliability_figure(targets: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """Reliability curves: share of positives by mean score in ten bins, and the line of no error."""
    lines = {}
    for index, label in enumerate(labels):
        curve = reliability(targets[:, index], scores[:, index])
        lines[label] = (curve.score, curve.share)
    figure = _lines(lines, "mean score", "share of positives")
    return figure.add_scatter(x=[0, 1], y=[0, 1], name="calibrated", line={"dash": "dot", "color": "grey"})


def reliability_chart(curves: Mapping[str, pd.DataFrame], finding: str) -> go.Figure:
    """Share of images with the finding by mean score, one line per system, and the diagonal.

    Args:
        curves: system → columns ``score``, ``share`` and ``images``, one row per tenth of the scale; the
            area of a marker grows with its images.
        finding: for the titles of the axes.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        line={"color": LINE, "dash": "dot"},
    )
    most = max(1, *(int(curve["images"].max()) for curve in curves.values()))
    for index, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(
            mode="lines+markers",
            name=wrapped(name),
            x=curve["score"].tolist(),
            y=curve["share"].tolist(),
            marker=marker(index, np.sqrt(49 + 400 * curve["images"] / most).tolist()) | {"opacity": 0.95},
            line={"color": COLOURS[index % len(COLOURS)]},
            cliponaxis=False,
            customdata=curve["images"].tolist(),
            hovertemplate=f"{wrapped(name)}<br>mean score %{{x:.3f}}, share %{{y:.3f}}, "
            "%{customdata:,} images<extra></extra>",
        )
    figure.update_xaxes(
        range=[0, 1], title_text=wrapped(f"Mean score of {finding}"), gridcolor=GRID, showgrid=True
    )
    figure.update_yaxes(range=[0, 1], title_text="Fraction of positives", gridcolor=GRID)
    figure.update_layout(legend={"itemsizing": "constant"})
    return style(figure, 470)


def _lines(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], x_title: str, y_title: str, *, shape: str = "linear"
) -> go.Figure:
    figure = go.Figure()
    for index, (label, (x, y)) in enumerate(lines.items()):
        if np.isnan(x).any() or np.isnan(y).any():
            continue  # undefined: no positives or no negatives
        kept = np.unique(np.linspace(0, len(x) - 1, min(_MAX_POINTS, len(x))).astype(int))
        # Lists, because plotly encodes arrays in base64, which cannot be read in the file.
        figure.add_scatter(
            x=x[kept].round(4).tolist(),
            y=y[kept].round(4).tolist(),
            name=label,
            mode="lines",
            # Ten colours; after that the same colours dashed.
            line={"shape": shape, "dash": "solid" if index < 10 else "dash"},
        )
    axis = {"range": [0, 1.01], "constrain": "domain"}
    figure.update_xaxes(title=x_title, **axis)
    figure.update_yaxes(title=y_title, **axis)
    legend = {"orientation": "h", "y": -0.15, "yanchor": "top"}  # below: a phone is too narrow
    return figure.update_layout(height=640, legend=legend, margin={"t": 24, "r": 8, "b": 8, "l": 56})
