"""The report of an evaluation: one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from cxrbench.compare import DISCLAIMER
from cxrbench.evaluation import FIGURES, SETS, Predictions, Row
from cxrbench.figures.curves import pr_figure, reliability_figure, roc_figure

__all__ = ["report"]

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: .875rem; display: block; overflow-x: auto; }
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
    judged: Mapping[str, tuple[Predictions, Mapping[str, Any]]],
    rows: Sequence[Row] = (),
    first: Mapping[str, str] | None = None,
) -> str:
    """The report as HTML.

    Args:
        title: its heading.
        judged: model → predictions of the judged images, and their evaluation.
        rows: models and ensembles, if there are several.
        first: figure → who is first by it.
    """
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="notice">{escape(DISCLAIMER)}</p>']
    if rows:
        parts += ["<h2>Models and ensembles</h2>", _contenders(rows, first or {})]
    for name, (predictions, figures) in judged.items():
        parts += [f"<h2>{escape(name)}</h2>", _summary(figures), _findings(predictions.labels, figures)]
        for heading, draw in _CURVES.items():
            drawn = draw(predictions.targets, predictions.scores, predictions.labels)
            parts += [f"<h3>{heading}</h3>", _div(drawn)]
    says = "".join(
        f"<li><b>{escape(f.title)}</b>: {escape(f.says)}</li>" for f in (*FIGURES.values(), *SETS.values())
    )
    parts += ["<h2>What the figures say</h2>", f"<ul>{says}</ul>"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><script>{get_plotlyjs()}</script></head><body>{''.join(parts)}</body></html>"
    )


_CURVES: Final = {
    "ROC": roc_figure,
    "Precision and recall": pr_figure,
    "Reliability": reliability_figure,
}


def _div(figure: go.Figure) -> str:
    return figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})


def _summary(figures: Mapping[str, Any]) -> str:
    auroc, boot = figures["means"]["auroc"], figures["bootstrap"]
    undefined = f"; undefined for {auroc['left_out']}" if auroc["left_out"] else ""
    sets = ", ".join(f"{SETS[name].title} {_value(said)}" for name, said in figures["sets"].items())
    return (
        f"<p>{figures['studies']:,} images of {figures['patients']:,} patients. Mean AUROC {_value(auroc)} "
        f"over {auroc['findings']} findings{undefined}. {sets}.<br><small>Thresholds: "
        f"{escape(str(figures['thresholds']))} Brackets: {boot['level']:.0%} intervals, "
        f"{boot['resamples']:,} bootstrap resamples of patients; none where a figure is undefined too often."
        "</small></p>"
    )


def _value(said: Mapping[str, Any]) -> str:
    return _bracketed(said["value"], None if said["low"] is None else (said["low"], said["high"]))


def _findings(labels: Sequence[str], figures: Mapping[str, Any]) -> str:
    heads = ["finding", "n+", "n−", "threshold", *(FIGURES[name].title for name in _SHOWN)]
    lines = []
    for label in labels:
        cells = [escape(label), str(figures["positives"][label]), str(figures["negatives"][label])]
        cells.append(f"{figures['threshold'][label]:.3g}")
        cells += [_bracketed(figures[name][label], figures["intervals"][name][label]) for name in _SHOWN]
        lines.append(cells)
    return _table(heads, lines)


def _contenders(rows: Sequence[Row], first: Mapping[str, str]) -> str:
    names = list(first)
    titles = {name: of.title for name, of in {**FIGURES, **SETS}.items()} | {
        "auroc_of_calls": "AUROC of calls"
    }
    heads = ["", *(titles[name] for name in names)]
    lines = []
    for row in rows:
        cells = [escape(row.title)]
        for name in names:
            value = f"{getattr(row, name):.3f}"
            cells.append(f"<b>{value}</b>" if first[name] == row.title else value)
        lines.append(cells)
    return _table(heads, lines) + (
        "<p><small>Bold: first by that figure, which need not be the same one. Of Hamming loss less is "
        "better. AUROC of calls takes the yes or no of a vote as its score, as Liz et al. 2022 do."
        "</small></p>"
    )


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _bracketed(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" + (f" <small>[{ends[0]:.3f}, {ends[1]:.3f}]</small>" if ends else "")
