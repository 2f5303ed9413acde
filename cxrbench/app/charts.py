"""Shared chart style: colour-blind safe colours, marker shapes, layout."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

__all__ = [
    "COLOURS",
    "FAINT",
    "SHAPES",
    "WORDS",
    "dots",
    "heat",
    "key",
    "legend",
    "scale_of",
    "show",
    "stacked",
]

# Okabe and Ito's colours in the order of .streamlit/config.toml, and a shape for each: never colour alone.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke", "arrow")

# The browser knows which theme is on, and a change of it draws nothing anew here: the chart's own background
# decides. Words reach a contrast of 7 to 1 on either, lines without words 3 to 1.
WORDS: Final = alt.ExprRef("luminance(background) > 0.4 ? '#46525f' : '#b4bec9'")
FAINT: Final = alt.ExprRef("luminance(background) > 0.4 ? '#6f7b87' : '#8592a0'")

_ROW: Final = 25  # pixels per finding
_ROOM: Final = 115  # pixels for legend and axis
_WORDS: Final[dict[str, Any]] = {"labelLimit": 190, "labelFontSize": 12, "titleFontSize": 12}
_LISTED: Final[dict[str, Any]] = {**_WORDS, "labelOverlap": False}  # every finding's name is written
_LEGEND: Final[dict[str, Any]] = {
    "orient": "top",
    "title": None,
    "labelFontSize": 12,
    "labelLimit": 320,
}


def scale_of(names: Sequence[str], colours: Mapping[str, str] | None = None) -> alt.Scale:
    """Colours by name: given ones, else those of the table in order."""
    table = colours or {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    return alt.Scale(domain=list(names), range=[table[name] for name in names])


def legend(names: Sequence[str] = (), **changes: Any) -> alt.Legend:
    """A legend above the chart.

    Args:
        names: what it lists: as many to a line as fit, so that none is cut off.
        changes: other properties of the legend.
    """
    if names:
        widest = 48 + 7 * max(map(len, names))  # pixels: symbol, padding, and letters of 12 pixels
        changes["columns"] = alt.ExprRef(f"max(1, floor(width / {widest}))")
    return alt.Legend(**{**_LEGEND, **changes})


def show(chart: alt.Chart | alt.LayerChart, *, alt_text: str) -> None:
    """Draw a chart: words that can be read on either theme, and end ticks that are written whole.

    Args:
        chart: without a configuration of its own.
        alt_text: what it shows, for those who do not see it.
    """
    drawn = (
        chart.properties(padding={"left": 6, "right": 14, "top": 5, "bottom": 5})
        .configure_axis(labelColor=WORDS, titleColor=WORDS, labelFlush=False)
        .configure_axisQuantitative(tickCount=alt.ExprRef("max(3, floor(width / 80))"))
        .configure_legend(labelColor=WORDS, titleColor=WORDS, gradientLength=240)
    )
    st.altair_chart(drawn, alt=alt_text)


def key(colours: Mapping[str, str]) -> str:
    """A legend of its own as HTML, for several charts below it."""
    square = "display:inline-block;width:0.8em;height:0.8em;margin-right:0.35em;border-radius:2px"
    items = (
        '<span style="margin-right:1.2em;white-space:nowrap">'
        f'<span style="{square};background:{colour}"></span>{escape(name)}</span>'
        for name, colour in colours.items()
    )
    return f'<div style="font-size:0.875rem">{" ".join(items)}</div>'


def stacked(
    table: pd.DataFrame,
    order: Sequence[str],
    states: Mapping[str, str],
    *,
    share: bool = False,
    compact: bool = False,
) -> alt.Chart:
    """Bars of findings, stacked by state.

    Args:
        table: columns ``finding``, ``state``, ``images``, ``share``.
        order: findings from top to bottom.
        states: state → colour, from left to right.
        share: draw shares of all images instead of counts.
        compact: lower bars and no legend: one of several charts that share a ``key``.
    """
    rank = {state: index for index, state in enumerate(states)}
    rows = table.assign(rank=table["state"].map(rank))
    axis = alt.Axis(format="%" if share else "~s", title="Share of images" if share else "Images", **_WORDS)
    return (
        alt.Chart(rows)
        .mark_bar(stroke="#8886", strokeWidth=0.5)
        .encode(
            y=alt.Y("finding:N", sort=list(order), title=None, axis=alt.Axis(**_LISTED)),
            x=alt.X("share:Q" if share else "images:Q", axis=axis, stack="zero"),
            color=alt.Color(
                "state:N",
                scale=scale_of(list(states), states),
                legend=None if compact else legend(list(states)),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("finding:N", title="Finding"),
                alt.Tooltip("state:N", title="State"),
                alt.Tooltip("images:Q", format=",", title="Images"),
                alt.Tooltip("share:Q", format=".2%", title="Share"),
            ],
        )
        .properties(height=50 + 18 * len(order) if compact else _ROOM + _ROW * len(order))
    )


def dots(
    table: pd.DataFrame,
    order: Sequence[str],
    names: Sequence[str],
    *,
    value: str,
    title: str,
    log: bool = False,
    form: str = ",",
    colours: Mapping[str, str] | None = None,
) -> alt.Chart:
    """Dots of several names a finding, each with its colour and its shape.

    Args:
        table: columns ``finding``, ``name`` and ``value``; on a log axis zeros are left out.
        order: findings from top to bottom.
        names: in the order of the legend.
        value: the column drawn.
        title: of the axis.
        log: draw powers of ten at equal distances.
        form: of the numbers in tooltips, as d3 writes it.
        colours: by name.
    """
    rows = table[table[value] > 0] if log else table
    scale = alt.Scale(type="log", nice=False, padding=12) if log else alt.Scale(zero=True)
    shapes = alt.Scale(domain=list(names), range=[SHAPES[i % len(SHAPES)] for i in range(len(names))])
    axis = alt.Axis(title=title, format="~s" if form == "," else form, **_WORDS)
    return (
        alt.Chart(rows)
        .mark_point(filled=True, size=85, opacity=0.9)
        .encode(
            y=alt.Y("finding:N", sort=list(order), title=None, axis=alt.Axis(grid=True, **_LISTED)),
            x=alt.X(f"{value}:Q", scale=scale, axis=axis),
            color=alt.Color("name:N", scale=scale_of(names, colours), legend=legend(names)),
            shape=alt.Shape("name:N", scale=shapes, legend=legend(names)),
            tooltip=[
                alt.Tooltip("finding:N", title="Finding"),
                alt.Tooltip("name:N", title=" "),
                alt.Tooltip(f"{value}:Q", format=form, title=title),
            ],
        )
        .properties(height=_ROOM + _ROW * len(order))
    )


def heat(
    table: pd.DataFrame, labels: Sequence[str], *, colour: alt.Color, text: str, tip: str
) -> alt.LayerChart:
    """A square of findings against findings, its numbers written into it where there is room.

    Args:
        table: columns ``row``, ``column``, ``text`` (what is written), ``tip`` (a sentence), ``dark``
            (whether the cell is), and what ``colour`` reads.
        labels: in order, on both sides.
        colour: how a cell is coloured.
        text: title of what is written.
        tip: title of the sentence.
    """
    side: dict[str, Any] = {"sort": list(labels), "title": None}
    base = alt.Chart(table).encode(
        x=alt.X("column:N", axis=alt.Axis(labelAngle=-40, orient="bottom", **_LISTED), **side),
        y=alt.Y("row:N", axis=alt.Axis(**_LISTED), **side),
        tooltip=[alt.Tooltip("text:N", title=text), alt.Tooltip("tip:N", title=tip)],
    )
    # On a phone a cell is narrower than its number.
    size = alt.ExprRef(f"width < {34 * len(labels)} ? 0 : 11")
    words = base.mark_text(fontSize=size).encode(
        text="text:N",
        color=alt.condition("datum.dark", alt.value("#ffffff"), alt.value("#10151c")),
    )
    return (base.mark_rect(stroke="#8884").encode(color=colour) + words).properties(
        height=_ROOM + 110 + 29 * len(labels)
    )
