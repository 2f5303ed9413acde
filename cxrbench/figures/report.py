"""The report of an evaluation: one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from cxrbench.compare import DISCLAIMER
from cxrbench.evaluation import METRICS, SETS, Predictions, Row
from cxrbench.figures.curves import pr_figure, reliability_figure, roc_figure
from cxrbench.figures.html_page import html_page, html_table

__all__ = ["report"]

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #ccc; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
small { color: #555; } .notice { border-left: .3rem solid #b8860b; padding: .5rem 1rem; background: #fff8e6; }
"""
_SHOWN: Final = (
    "auroc",
    "average_precision",
    "sensitivity",
    "specificity",
    "f1",
    "brier",
    "calibration_error",
)


def report(
    title: str,
    evaluated: Mapping[str, tuple[Predictions, Mapping[str, Any]]],
    rows: Sequence[Row] = (),
    best: Mapping[str, str] | None = None,
) -> str:
    """The report of an evaluation as HTML.

    Args:
        title: heading of the report.
        evaluated: model → predictions of the evaluated images, and their evaluation.
        rows: models and ensembles, if there are several.
        best: metric → the model or ensemble that is best by it.
    """
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="notice">{escape(DISCLAIMER)}</p>']
    if rows:
        parts += ["<h2>Models and ensembles</h2>", _leaderboard(rows, best or {})]
    for name, (predictions, figures) in evaluated.items():
        parts += [f"<h2>{escape(name)}</h2>", _summary(figures), _findings(predictions.labels, figures)]
        for heading, draw in _CURVES.items():
            figure = draw(predictions.targets, predictions.scores, predictions.labels)
            parts += [f"<h3>{heading}</h3>", _div(figure)]
    definitions = "".join(
        f"<li><b>{escape(f.title)}</b>: {escape(f.summary)}</li>" for f in (*METRICS.values(), *SETS.values())
    )
    parts += ["<h2>Definitions of the metrics</h2>", f"<ul>{definitions}</ul>"]
    return html_page(title, _STYLE, "".join(parts), script=get_plotlyjs())


_CURVES: Final = {
    "ROC": roc_figure,
    "Precision–recall": pr_figure,
    "Reliability": reliability_figure,
}


def _div(figure: go.Figure) -> str:
    html: str = figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
    return html


def _summary(figures: Mapping[str, Any]) -> str:
    auroc, boot = figures["means"]["auroc"], figures["bootstrap"]
    undefined = f"; undefined for {auroc['left_out']}" if auroc["left_out"] else ""
    sets = ", ".join(f"{SETS[name].title} {_value(interval)}" for name, interval in figures["sets"].items())
    return (
        f"<p>{figures['studies']:,} images of {figures['patients']:,} patients. Mean AUROC {_value(auroc)} "
        f"over {auroc['findings']} findings{undefined}. {sets}.<br><small>Thresholds: "
        f"{escape(str(figures['thresholds']))} Brackets: {boot['level']:.0%} confidence intervals from "
        f"{boot['resamples']:,} bootstrap resamples of patients; none where the metric is undefined in too "
        "many of them."
        "</small></p>"
    )


def _value(interval: Mapping[str, Any]) -> str:
    ends = None if interval["low"] is None else (interval["low"], interval["high"])
    return _bracketed(interval["value"], ends)


def _findings(labels: Sequence[str], figures: Mapping[str, Any]) -> str:
    heads = ["finding", "n+", "n−", "threshold", *(METRICS[name].title for name in _SHOWN)]
    lines = []
    for label in labels:
        cells = [escape(label), str(figures["positives"][label]), str(figures["negatives"][label])]
        cells.append(f"{figures['threshold'][label]:.3g}")
        cells += [_bracketed(figures[name][label], figures["intervals"][name][label]) for name in _SHOWN]
        lines.append(cells)
    return html_table(heads, lines)


def _leaderboard(rows: Sequence[Row], best: Mapping[str, str]) -> str:
    names = list(best)
    titles = {name: metric.title for name, metric in {**METRICS, **SETS}.items()} | {
        "auroc_of_calls": "AUROC of decisions"
    }
    heads = ["", *(titles[name] for name in names)]
    lines = []
    for row in rows:
        cells = [escape(row.title)]
        for name in names:
            value = f"{getattr(row, name):.3f}"
            cells.append(f"<b>{value}</b>" if best[name] == row.title else value)
        lines.append(cells)
    return html_table(heads, lines) + (
        "<p><small>Bold: best by that metric; other metrics may rank differently. A lower Hamming loss is "
        "better. The AUROC of decisions takes the thresholded decision (0 or 1) as the score, as Liz et al. "
        "2022 do."
        "</small></p>"
    )


def _bracketed(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" + (f" <small>[{ends[0]:.3f}, {ends[1]:.3f}]</small>" if ends else "")
