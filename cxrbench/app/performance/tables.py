"""Sections of the Performance page: curves of one finding, a table of all, paired comparison."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from cxrbench.app.performance.curve_data import curve_data, digest, resample_count
from cxrbench.app.performance.curves import curves
from cxrbench.app.performance.curves.schema import CellClick
from cxrbench.app.widgets import charts
from cxrbench.app.widgets.tables import numbers, rounded
from cxrbench.evaluation import METRICS, System, compare, decisions, measure, operating_points
from cxrbench.figures.charts import intervals, reference_line
from cxrbench.metrics.delong import delong
from cxrbench.metrics.intervals import Interval

__all__ = ["curves_part", "ends", "pair_part", "table_of", "table_part"]

_SHOWN: Final = ("auroc", "average_precision", "sensitivity", "specificity", "precision", "f1")


def curves_part(systems: Sequence[System], finding: str, rule: str) -> CellClick | None:
    """ROC and precision–recall with bands, and a threshold that moves without the server.

    Returns:
        The cell of the confusion counts that was clicked, or None.
    """
    for system in systems:
        if not system.graded:
            st.caption(f"**{system.title}** has a point, not a curve. {system.summary}")
    truth = systems[0].shown.targets[:, systems[0].shown.labels.index(finding)]
    if not ((truth == 1).any() and (truth == 0).any()):
        st.info(
            f"{finding} has no {'positive' if not (truth == 1).any() else 'negative'} here, so that its "
            "curves are not defined; choose another finding or split."
        )
        return None
    cell = curves(curve_data(systems, finding, rule), key="curves")
    st.caption(
        "Bands hold 95 % of the curves of 200 resamples by patient, pointwise. Dotted: "
        "chance. Precision–recall curves are steps: between two thresholds nothing is known."
    )
    return cell


def table_part(systems: Sequence[System]) -> None:
    """The metrics of every finding with intervals; a click on a heading sorts."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.multiselect(
            "Metrics",
            list(METRICS),
            default=list(_SHOWN),
            format_func=lambda name: METRICS[name].title,
            key="table_figures",
            width=620,
            help="F1, specificity and other metrics of decisions are computed at each system's thresholds.",
        )
    if not picked:
        st.info("Choose at least one metric.")
        return
    table = table_of(systems, picked)
    st.dataframe(table, hide_index=True, column_config=rounded(table), height=520)
    for name in picked:
        st.caption(f"**{METRICS[name].title}.** {METRICS[name].summary}")
    images = len(systems[0].shown)
    st.caption(
        f"“low” and “high”: patient-level bootstrap confidence intervals (95 %, {resample_count(images):,} "
        "resamples). Empty: undefined without positives or negatives, or in ≥ 10 % of the resamples; "
        "means leave it out."
    )
    _downloads(table)


def pair_part(systems: Sequence[System]) -> None:
    """Two systems on the same images: differences, paired."""
    if len(systems) < 2:
        st.info("Choose a second model, or an ensemble, above: then the two are compared image by image.")
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
    found = _paired(digest(a), digest(b), name, a, b)
    table = pair_table(a, b, found)
    if name == "auroc" and a.graded and b.graded:
        table["p (DeLong)"] = second_opinion(a, b)  # of images, where the bootstrap resamples patients
    chart = _differences(table, f"{METRICS[name].title}: first minus second")
    difference = f"{METRICS[name].title}: {a.title} minus {b.title}"
    charts.show(chart, alt_text=f"Paired differences in {difference}, finding by finding.")
    st.caption(
        f"{METRICS[name].summary} Bars hold 95 % of the paired differences: both systems saw the same "
        "resampled patients. p is two-sided, and of fourteen findings one is below 0.07 by chance alone."
    )
    numbers(table, f"pair-{a.name}-{b.name}-{name}")


def table_of(systems: Sequence[System], names: Sequence[str]) -> pd.DataFrame:
    """One row per system and finding: n₊, n₋, threshold, and each metric with its interval."""
    rows: list[dict[str, Any]] = []
    for system in systems:
        found = _measured(digest(system), tuple(names), system)
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
                row |= ends(METRICS[name].title, found[name], index)
            rows.append(row)
    return pd.DataFrame(rows)


def pair_table(a: System, b: System, found: Interval) -> pd.DataFrame:
    """One row per finding: the difference, its ends, and p."""
    truth = a.shown.targets
    return pd.DataFrame(
        {
            "finding": a.shown.labels,
            "difference": found.estimate,
            "low": found.low,
            "high": found.high,
            "p": found.p,
            "n+": (truth == 1).sum(0),
            "n−": (truth == 0).sum(0),
        }
    )


def second_opinion(a: System, b: System) -> list[float]:
    """DeLong's p-value of each finding's difference in AUROC; it takes images as independent."""
    columns = zip(a.shown.targets.T, a.shown.scores.T, b.shown.scores.T, strict=True)
    return [delong(truth, np.stack(scores)).difference()[1] for truth, *scores in columns]


@st.cache_data(max_entries=64, show_spinner="Measuring every finding, with intervals …")
def _measured(key: str, names: tuple[str, ...], _system: System) -> dict[str, Interval]:
    return measure(
        decisions(_system), operating_points(_system), names, count=resample_count(len(_system.shown))
    )


@st.cache_data(max_entries=64, show_spinner="Comparing, image by image …")
def _paired(key: str, other: str, name: str, _a: System, _b: System) -> Interval:
    first, second = ((decisions(system), operating_points(system)) for system in (_a, _b))
    return compare(first, second, name, count=resample_count(len(_a.shown)))


def ends(title: str, interval: Interval, index: int) -> dict[str, float]:
    """A metric and its interval as three columns."""
    return {
        title: float(interval.estimate[index]),
        f"{title} low": float(interval.low[index]),
        f"{title} high": float(interval.high[index]),
    }


def _differences(table: pd.DataFrame, title: str) -> go.Figure:
    kinds = ["0 is inside", "0 is outside"]
    known = table.dropna(subset=["difference"]).sort_values("difference", ascending=False)
    outside = (known["low"] > 0) | (known["high"] < 0)
    tips = [f"{r.difference:+.3f} [{r.low:+.3f}, {r.high:+.3f}]<br>p = {r.p:.3f}" for r in known.itertuples()]
    figure = intervals(
        known.assign(kind=np.where(outside, *kinds[::-1]), tip=tips),
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
