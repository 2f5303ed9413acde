"""Tabs of the Performance page: curves of one finding, metrics of all findings, paired comparison."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from cxrbench.app.performance.clicked_cell import take_click
from cxrbench.app.performance.curve_data import curve_data, digest, resample_count
from cxrbench.app.performance.curves import curves
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import number_columns, table_expander
from cxrbench.evaluation import METRICS, System, compare, decisions, measure, operating_points
from cxrbench.figures.charts import intervals, reference_line
from cxrbench.metrics.delong import delong
from cxrbench.metrics.intervals import Interval

__all__ = ["curves_part", "metric_columns", "metrics_table", "pair_part", "table_part"]

_DEFAULT_METRICS: Final = ("auroc", "average_precision", "sensitivity", "specificity", "precision", "f1")


def curves_part(systems: Sequence[System], finding: str, rule: str) -> None:
    """Draw ROC and precision–recall curves with bands, the threshold slider and the confusion matrix."""
    for system in systems:
        if not system.graded:
            terms.caption(f"**{system.title}** has one operating point, not a curve. {system.summary}")
    truth = systems[0].shown.targets[:, systems[0].shown.labels.index(finding)]
    if not ((truth == 1).any() and (truth == 0).any()):
        st.info(
            f"{finding} has no {'positives' if not (truth == 1).any() else 'negatives'} in this split, so "
            "its curves are undefined; select another finding or split."
        )
        return
    curves(curve_data(systems, finding, rule), key="curves", on_cell=take_click)
    terms.caption(
        "Bands: pointwise 95 % intervals of 200 patient-level bootstrap resamples. Dotted: chance level. "
        "Precision–recall curves are drawn as steps, without interpolation between thresholds."
    )


def table_part(systems: Sequence[System]) -> None:
    """Draw the metrics of every finding with confidence intervals; a click on a column heading sorts."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selected = st.multiselect(
            "Metrics",
            list(METRICS),
            default=list(_DEFAULT_METRICS),
            format_func=lambda name: METRICS[name].title,
            key="table_figures",
            width=620,
            help="F1, specificity and other threshold-dependent metrics are computed at each system's "
            "operating points.",
        )
    if not selected:
        st.info("Select at least one metric.")
        return
    table = metrics_table(systems, selected)
    st.dataframe(table, hide_index=True, column_config=number_columns(table), height=520)
    for name in selected:
        terms.caption(f"**{METRICS[name].title}.** {METRICS[name].summary}")
    images = len(systems[0].shown)
    terms.caption(
        f"low, high: patient-level bootstrap confidence intervals (95 %, {resample_count(images):,} "
        "resamples). Empty: undefined without positives or negatives, or in ≥ 10 % of the resamples."
    )
    _downloads(table)


def pair_part(systems: Sequence[System]) -> None:
    """Draw the paired differences of two systems on the same images."""
    if len(systems) < 2:
        st.info("Select a second model or an ensemble above; the two are then compared on the same images.")
        return
    titles = {system.name: system.title for system in systems}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox(
            "First", list(titles), format_func=titles.__getitem__, key="pair_first", width=260
        )
        others = [name for name in titles if name != first]
        second = st.selectbox("Second", others, format_func=titles.__getitem__, key="pair_second", width=260)
        name = st.selectbox(
            "Metric", list(METRICS), format_func=lambda key: METRICS[key].title, key="pair_figure", width=200
        )
    by_name = {system.name: system for system in systems}
    a, b = by_name[first], by_name[second]
    differences = _paired(digest(a), digest(b), name, a, b)
    table = pair_table(a, b, differences)
    if name == "auroc" and a.graded and b.graded:
        table["p (DeLong)"] = delong_p_values(a, b)
    chart = _differences(table, f"{METRICS[name].title}: first minus second")
    difference = f"{METRICS[name].title}: {a.title} minus {b.title}"
    charts.show(chart, alt_text=f"Paired differences in {difference}, finding by finding.")
    terms.caption(
        f"{METRICS[name].summary} Bars: 95 % paired bootstrap confidence intervals, the same resampled "
        "patients for both systems. p is two-sided and not corrected for multiple comparisons: of "
        "fourteen findings, one is below 0.07 by chance alone."
    )
    table_expander(table, f"pair-{a.name}-{b.name}-{name}")


def metrics_table(systems: Sequence[System], names: Sequence[str]) -> pd.DataFrame:
    """Return one row per system and finding: n₊, n₋, threshold, and each metric with its interval."""
    rows: list[dict[str, Any]] = []
    for system in systems:
        intervals_by_metric = _measured(digest(system), tuple(names), system)
        truth = system.shown.targets
        for index, label in enumerate(system.shown.labels):
            row: dict[str, Any] = {
                "finding": label,
                "system": system.title,
                "n+": int((truth[:, index] == 1).sum()),
                "n−": int((truth[:, index] == 0).sum()),
                "threshold": float(system.thresholds[index]) if system.graded else float("nan"),
            }
            for name in names:
                row |= metric_columns(METRICS[name].title, intervals_by_metric[name], index)
            rows.append(row)
    return pd.DataFrame(rows)


def pair_table(a: System, b: System, differences: Interval) -> pd.DataFrame:
    """Return one row per finding: difference, interval and p-value."""
    truth = a.shown.targets
    return pd.DataFrame(
        {
            "finding": a.shown.labels,
            "difference": differences.estimate,
            "low": differences.low,
            "high": differences.high,
            "p": differences.p,
            "n+": (truth == 1).sum(0),
            "n−": (truth == 0).sum(0),
        }
    )


def delong_p_values(a: System, b: System) -> list[float]:
    """DeLong's p-value of each finding's difference in AUROC; it assumes independent images."""
    columns = zip(a.shown.targets.T, a.shown.scores.T, b.shown.scores.T, strict=True)
    return [delong(truth, np.stack(scores)).difference()[1] for truth, *scores in columns]


@st.cache_data(max_entries=64, show_spinner="Computing metrics and confidence intervals …")
def _measured(key: str, names: tuple[str, ...], _system: System) -> dict[str, Interval]:
    return measure(
        decisions(_system), operating_points(_system), names, count=resample_count(len(_system.shown))
    )


@st.cache_data(max_entries=64, show_spinner="Computing paired differences …")
def _paired(key: str, other: str, name: str, _a: System, _b: System) -> Interval:
    first, second = ((decisions(system), operating_points(system)) for system in (_a, _b))
    return compare(first, second, name, count=resample_count(len(_a.shown)))


def metric_columns(title: str, interval: Interval, index: int) -> dict[str, float]:
    """A metric and its interval as three columns."""
    return {
        title: float(interval.estimate[index]),
        f"{title} low": float(interval.low[index]),
        f"{title} high": float(interval.high[index]),
    }


def _differences(table: pd.DataFrame, title: str) -> go.Figure:
    kinds = ["interval includes 0", "interval excludes 0"]
    defined = table.dropna(subset=["difference"]).sort_values("difference", ascending=False)
    excludes_zero = (defined["low"] > 0) | (defined["high"] < 0)
    tips = [
        f"{r.difference:+.3f} [{r.low:+.3f}, {r.high:+.3f}]<br>p = {r.p:.3f}" for r in defined.itertuples()
    ]
    figure = intervals(
        defined.assign(kind=np.where(excludes_zero, *kinds[::-1]), tip=tips),
        row="finding",
        value="difference",
        title=title,
        kinds=kinds,
    )
    reference_line(figure, 0)
    return figure


def _downloads(table: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        for kind, data, mime in (
            ("CSV", table.to_csv(index=False), "text/csv"),
            ("JSON", table.to_json(orient="records", indent=1, force_ascii=False), "application/json"),
        ):
            st.download_button(
                kind,
                data.encode(),
                f"cxrbench-performance.{kind.lower()}",
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"download_{kind}",
            )
