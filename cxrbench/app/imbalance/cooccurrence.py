"""Imbalance page: co-occurrence of findings, and violations of the label hierarchy."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from cxrbench.app.widgets import charts, terms
from cxrbench.data.label_tables import LabelTable
from cxrbench.figures.colours import COLOURS, Colours
from cxrbench.figures.imbalance import findings_per_image
from cxrbench.figures.matrix import ColourAxis, matrix
from cxrbench.targets import imbalance

__all__ = ["together_part"]

_LIFT: Final = Colours("lift", True, ("#1f6fd6", "#9dc3ee", "#eef0f2", "#f1a95e", "#c65a00"))


def together_part(label_table: LabelTable) -> None:
    """Draw the co-occurrence matrix, the findings per image, and violations of the label hierarchy."""
    kind = st.segmented_control(
        "Shown for each pair",
        list(_MATRICES),
        default="Share",
        required=True,
        key="together_kind",
        help="Images: the number with both findings. Share: the fraction of images with the row's finding "
        "that also have the column's. Lift: how much more often both are present than if they were "
        "independent.",
    )
    labels = [label_table.labels[index] for index in label_table.findings]
    chart = _MATRICES[kind or "Share"](label_table.targets[:, label_table.findings], labels)
    alt_text = f"{kind} of images in which two findings of {label_table.title} are both positive."
    with st.container(key="matrix"):
        charts.show(chart, alt_text=alt_text)
    left, right = st.columns(2)
    with left:
        st.header("Findings per image")
        images = imbalance.labels_per_image(label_table.targets[:, label_table.findings])
        images = images[: int(np.flatnonzero(images).max(initial=0)) + 1]
        charts.show(
            findings_per_image(images.tolist(), [_compact(count) for count in images]),
            alt_text=f"Images by their number of positive findings, from 0 to {len(images) - 1}.",
        )
        terms.caption("“No Finding” is not counted: an image with 0 findings is normal or not labelled.")
    with right:
        st.header("Hierarchy violations")
        _violations(label_table)


def _violations(label_table: LabelTable) -> None:
    violations = imbalance.hierarchy_violations(label_table.targets, label_table.labels)
    if not violations:
        terms.caption("This table has no finding together with its parent in CheXpert's label hierarchy.")
        return
    rows = pd.DataFrame(
        {
            "finding": [entry.child for entry in violations],
            "implies": [entry.parent for entry in violations],
            "positive": [entry.positive for entry in violations],
            "parent negative": [entry.negative for entry in violations],
            "parent uncertain": [entry.uncertain for entry in violations],
            "parent blank": [entry.blank for entry in violations],
        }
    )
    st.dataframe(rows, hide_index=True)
    terms.caption(
        "A positive finding implies a positive parent (Irvin et al. 2019). Otherwise the labels contradict "
        "each other; training can make the parents positive first (`close_hierarchy`)."
    )


def _count_matrix(targets: np.ndarray, labels: list[str]) -> go.Figure:
    both = imbalance.cooccurrence(targets)
    top = float(both.max(initial=1))
    # Colours by the square root: counts differ by orders of magnitude.
    axis = ColourAxis("Images", COLOURS["cividis"], 0, math.sqrt(top), _root_ticks(top))
    return matrix(
        np.sqrt(both),
        labels,
        axis,
        texts=_cell_texts(_compact, both),
        tips=_tooltips(labels, both, "{row} and {column}: {value:,} images"),
    )


def _share_matrix(targets: np.ndarray, labels: list[str]) -> go.Figure:
    shares = imbalance.conditional(targets)
    ticks = {part / 4: f"{part / 4:.0%}" for part in range(5)}
    return matrix(
        shares,
        labels,
        ColourAxis("Share", COLOURS["cividis"], 0, 1, ticks),
        texts=_cell_texts(lambda share: f"{100 * share:.0f}", shares),
        tips=_tooltips(labels, shares, "{value:.1%} of images with {row} also have {column}"),
    )


def _lift_matrix(targets: np.ndarray, labels: list[str]) -> go.Figure:
    lift = np.array(imbalance.lift(targets), dtype=np.float64)
    np.fill_diagonal(lift, np.nan)
    return matrix(
        np.log2(lift.clip(min=1 / 8, max=8)),
        labels,
        ColourAxis("Lift", _LIFT, -3, 3, {-3: "⅛ ×", 0: "1 ×", 3: "8 ×"}),
        texts=_cell_texts(lambda value: f"{value:.1f}", lift),
        tips=_tooltips(labels, lift, "{row} and {column}: {value:.2f} × as often as expected by chance"),
    )


_MATRICES: Final = {"Images": _count_matrix, "Share": _share_matrix, "Lift": _lift_matrix}


def _compact(value: float) -> str:
    """A count in at most four characters, for example 12k for 12,345."""
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}k" if value < 10_000 else f"{value / 1000:.0f}k"


def _cell_texts(write: Callable[[float], str], values: np.ndarray) -> np.ndarray:
    """Text of each cell; empty where the value is NaN."""
    return np.array([["" if math.isnan(value) else write(value) for value in row] for row in values])


def _tooltips(labels: list[str], values: np.ndarray, sentence: str) -> np.ndarray:
    """``sentence`` formatted with the row, the column and the value of each cell."""
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
    return {math.sqrt(count): _compact(count) for count in counts if count <= top}
