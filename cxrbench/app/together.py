"""Imbalance page: co-occurrence of findings, and violations of the label hierarchy."""

import math
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app import charts
from cxrbench.app.sheets import Sheet
from cxrbench.targets import imbalance

__all__ = ["together_part"]


def together_part(sheet: Sheet) -> None:
    """Which findings come together, how many an image has, and where the hierarchy is broken."""
    kind = st.segmented_control(
        "Shown for two findings",
        list(_TOGETHER),
        default="Share",
        required=True,
        key="together_kind",
        help="Images counts them. Share is how many images with the row's finding also have the column's. "
        "Lift is how much more often they meet than if they were independent.",
    )
    labels = [sheet.labels[index] for index in sheet.findings]
    chart = _TOGETHER[kind or "Share"](sheet.targets[:, sheet.findings], labels)
    charts.show(chart, alt_text=f"{kind} of images in which two findings of {sheet.title} are both positive.")
    left, right = st.columns(2)
    with left:
        st.header("Findings an image")
        many = imbalance.labels_per_image(sheet.targets[:, sheet.findings])
        many = many[: int(np.flatnonzero(many).max(initial=0)) + 1]
        rows = pd.DataFrame({"findings": range(len(many)), "images": many})
        bars = alt.Chart(rows).encode(
            x=alt.X("findings:O", title="Positive findings", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("images:Q", title="Images", axis=alt.Axis(format="~s")),
            tooltip=["findings", alt.Tooltip("images", format=",")],
        )
        words = bars.mark_text(dy=-7, color=charts.WORDS).encode(text=alt.Text("images:Q", format=".3~s"))
        charts.show(
            (bars.mark_bar(color=charts.COLOURS[0]) + words).properties(height=260),
            alt_text=f"Images by their number of positive findings, from 0 to {len(many) - 1}.",
        )
        st.caption("“No Finding” is not counted: an image at 0 is normal, or nothing is said of it.")
    with right:
        st.header("Hierarchy violations")
        _violations(sheet)


def _violations(sheet: Sheet) -> None:
    found = imbalance.hierarchy_violations(sheet.targets, sheet.labels)
    if not found:
        st.caption("No two findings of this table stand in CheXpert's hierarchy, so there is none to break.")
        return
    rows = pd.DataFrame(
        {
            "finding": [entry.child for entry in found],
            "implies": [entry.parent for entry in found],
            "positive": [entry.positive for entry in found],
            "parent negative": [entry.negative for entry in found],
            "parent uncertain": [entry.uncertain for entry in found],
            "parent blank": [entry.blank for entry in found],
        }
    )
    st.dataframe(rows, hide_index=True)
    st.caption(
        "A positive finding implies its parent (Irvin et al. 2019). Where the parent is not positive too, a "
        "network is told two things at once; training can close the hierarchy first."
    )


def _pairs(values: np.ndarray, labels: list[str]) -> pd.DataFrame:
    rows, columns = np.indices(values.shape)
    return pd.DataFrame(
        {
            "row": np.array(labels)[rows.ravel()],
            "column": np.array(labels)[columns.ravel()],
            "value": values.ravel(),
        }
    )


def _counted(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    both = imbalance.cooccurrence(targets)
    table = _pairs(both, labels)
    top = float(both.max(initial=1))
    table["text"] = [_short(value) for value in table["value"]]
    table["tip"] = [f"{r.row} and {r.column}: {r.value:,} images" for r in table.itertuples()]
    table["dark"] = np.sqrt(table["value"] / top) < 0.55
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", type="sqrt"),
        legend=charts.legend(title="Images", format="~s", tickCount=4),
    )
    return charts.heat(table, labels, colour=colour, text="Images", tip="That is")


def _shared(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    table = _pairs(imbalance.conditional(targets), labels)
    table["text"] = ["" if math.isnan(value) else f"{100 * value:.0f}" for value in table["value"]]
    table["tip"] = [f"of images with {r.row}, {r.value:.1%} have {r.column}" for r in table.itertuples()]
    table["dark"] = ~(table["value"] >= 0.5)
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", domain=[0, 1]),
        legend=charts.legend(title="Share", format="%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    return charts.heat(table, labels, colour=colour, text="Per cent", tip="That is")


def _lifted(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    table = _pairs(imbalance.lift(targets), labels)
    table = table[(table["row"] != table["column"]) & table["value"].notna()]
    log = np.log2(table["value"].to_numpy(np.float64).clip(min=1 / 8, max=8))
    table = table.assign(log=log, dark=np.abs(log) > 2, text=[f"{value:.1f}" for value in table["value"]])
    table["tip"] = [
        f"{r.row} and {r.column} meet {r.value:.2f} × as often as by chance" for r in table.itertuples()
    ]
    colour = alt.Color(
        "log:Q",
        scale=alt.Scale(
            range=["#1f6fd6", "#9dc3ee", "#eef0f2", "#f1a95e", "#c65a00"], domain=[-3, -1.5, 0, 1.5, 3]
        ),
        legend=charts.legend(title="Lift", values=[-3, 0, 3], labelExpr="pow(2, datum.value) + ' ×'"),
    )
    return charts.heat(table, labels, colour=colour, text="Lift", tip="That is")


_TOGETHER: Final = {"Images": _counted, "Share": _shared, "Lift": _lifted}


def _short(value: float) -> str:
    """12,345 as 12k: what fits into a cell."""
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}k" if value < 10_000 else f"{value / 1000:.0f}k"
