"""Imbalance page: co-occurrence of findings, and violations of the label hierarchy."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from cxrbench.app.widgets import charts
from cxrbench.data.label_tables import LabelTable
from cxrbench.figures.colours import COLOURS, Colours
from cxrbench.figures.imbalance import findings_per_image
from cxrbench.figures.matrix import ColourAxis, matrix
from cxrbench.targets import imbalance

__all__ = ["together_part"]

_LIFT: Final = Colours("lift", True, ("#1f6fd6", "#9dc3ee", "#eef0f2", "#f1a95e", "#c65a00"))


def together_part(sheet: LabelTable) -> None:
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
    alt_text = f"{kind} of images in which two findings of {sheet.title} are both positive."
    with st.container(key="matrix"):
        charts.show(chart, alt_text=alt_text)
    left, right = st.columns(2)
    with left:
        st.header("Findings per image")
        many = imbalance.labels_per_image(sheet.targets[:, sheet.findings])
        many = many[: int(np.flatnonzero(many).max(initial=0)) + 1]
        charts.show(
            findings_per_image(many.tolist(), [_short(images) for images in many]),
            alt_text=f"Images by their number of positive findings, from 0 to {len(many) - 1}.",
        )
        st.caption("“No Finding” is not counted: an image at 0 is normal or has no label.")
    with right:
        st.header("Hierarchy violations")
        _violations(sheet)


def _violations(sheet: LabelTable) -> None:
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
        "A positive finding implies its parent (Irvin et al. 2019). Where the parent is not positive, the "
        "targets contradict each other; training can complete the hierarchy first."
    )


def _counted(targets: np.ndarray, labels: list[str]) -> go.Figure:
    both = imbalance.cooccurrence(targets)
    top = float(both.max(initial=1))
    # Colours by the square root: counts differ by orders of magnitude.
    axis = ColourAxis("Images", COLOURS["cividis"], 0, math.sqrt(top), _root_ticks(top))
    return matrix(
        np.sqrt(both),
        labels,
        axis,
        texts=_each(_short, both),
        tips=_tips(labels, both, "{row} and {column}: {value:,} images"),
    )


def _shared(targets: np.ndarray, labels: list[str]) -> go.Figure:
    shares = imbalance.conditional(targets)
    ticks = {part / 4: f"{part / 4:.0%}" for part in range(5)}
    return matrix(
        shares,
        labels,
        ColourAxis("Share", COLOURS["cividis"], 0, 1, ticks),
        texts=_each(lambda share: f"{100 * share:.0f}", shares),
        tips=_tips(labels, shares, "of images with {row}, {value:.1%} have {column}"),
    )


def _lifted(targets: np.ndarray, labels: list[str]) -> go.Figure:
    lift = np.array(imbalance.lift(targets), dtype=np.float64)
    np.fill_diagonal(lift, np.nan)
    return matrix(
        np.log2(lift.clip(min=1 / 8, max=8)),
        labels,
        ColourAxis("Lift", _LIFT, -3, 3, {-3: "⅛ ×", 0: "1 ×", 3: "8 ×"}),
        texts=_each(lambda value: f"{value:.1f}", lift),
        tips=_tips(labels, lift, "{row} and {column} meet {value:.2f} × as often as by chance"),
    )


_TOGETHER: Final = {"Images": _counted, "Share": _shared, "Lift": _lifted}


def _short(value: float) -> str:
    """12,345 as 12k: what fits into a cell."""
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}k" if value < 10_000 else f"{value / 1000:.0f}k"


def _each(write: Callable[[float], str], values: np.ndarray) -> np.ndarray:
    """What is written into each cell; nothing where it is undefined."""
    return np.array([["" if math.isnan(value) else write(value) for value in row] for row in values])


def _tips(labels: list[str], values: np.ndarray, sentence: str) -> np.ndarray:
    """``sentence`` with the row, the column and the value of each cell."""
    return np.array(
        [
            [
                sentence.format(row=row, column=column, value=value)
                for column, value in zip(labels, line, strict=True)
            ]
            for row, line in zip(labels, values.tolist(), strict=True)
        ]
    )


def _root_ticks(top: float) -> dict[float, str]:
    """Round counts up to ``top`` for a colour bar of square roots."""
    step = 10.0 ** math.floor(math.log10(max(top, 1)))
    counts = [part * step for part in (0, 0.25, 1, 2.5, 5, 7.5)]
    return {math.sqrt(count): _short(count) for count in counts if count <= top}
