"""Charts of findings and systems: colour-blind safe colours, marker shapes, one layout for all of them."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

__all__ = [
    "AROUND",
    "COLOURS",
    "FONT",
    "GRID",
    "LINE",
    "ROW",
    "SHAPES",
    "dots",
    "intervals",
    "log_axis",
    "marker",
    "reference_line",
    "row_axis",
    "stacked",
    "style",
    "wrapped",
]

# Okabe and Ito's colours in the order of .streamlit/config.toml, and a shape for each: never colour alone.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "x", "star")

# Lines without words: a contrast of 3 to 1 or more to a white and to a dark page.
LINE: Final = "#7c8894"
GRID: Final = "rgba(124, 136, 148, 0.3)"

ROW: Final = 25  # pixels per finding
AROUND: Final = 125  # pixels for tool bar, legend, axis and its title
TOOLS: Final = 30  # pixels at the top, for the tool bar: it never lies on the legend
FONT: Final = {"size": 12}
_TICKS: Final = {",": "~s", "%": "~%"}  # last letter of a d3 format → format of the axis
_WIDEST: Final = 40  # characters per line of a legend: as many as fit on a phone
_BESIDE: Final = 26  # of a title under a plot that shares a phone's width with the names of findings


def stacked(
    table: pd.DataFrame,
    order: Sequence[str],
    states: Mapping[str, str],
    *,
    share: bool = False,
    compact: bool = False,
) -> go.Figure:
    """One horizontal bar per finding, stacked by state.

    Args:
        table: columns ``finding``, ``state``, ``images``, ``share``.
        order: findings from top to bottom.
        states: state → colour, from left to right.
        share: draw shares of all images instead of counts.
        compact: lower bars and no legend, for one of several charts under a common legend.
    """
    figure = go.Figure()
    for state, colour in states.items():
        rows = table[table["state"] == state]
        figure.add_bar(
            orientation="h",
            name=state,
            y=rows["finding"].tolist(),
            x=rows["share" if share else "images"].tolist(),
            customdata=rows[["images", "share"]].to_numpy().tolist(),
            marker={"color": colour, "line": {"color": GRID, "width": 0.5}},
            hovertemplate=f"%{{y}}<br>{state}: %{{customdata[0]:,}} images, "
            "%{customdata[1]:.2%}<extra></extra>",
        )
    title, tick_format = ("Share of images", ".0%") if share else ("Images", "~s")
    figure.update_xaxes(title_text=title, tickformat=tick_format)
    figure.update_layout(barmode="stack", bargap=0.15)
    row_axis(figure, order)
    height = TOOLS + 60 + 18 * len(order) if compact else AROUND + ROW * len(order)
    return style(figure, height, legend=not compact)


def dots(
    table: pd.DataFrame,
    order: Sequence[str],
    colours: Sequence[str] | Mapping[str, str],
    *,
    value: str,
    title: str,
    log: bool = False,
    form: str = ",",
) -> go.Figure:
    """One row per finding with one marker per name; each name has its colour and its shape.

    Args:
        table: columns ``finding``, ``name`` and ``value``; zeros are omitted on a logarithmic axis.
        order: findings from top to bottom.
        colours: names in the order of the legend, or name → colour; default ``COLOURS`` in their order.
        value: the column drawn.
        title: of the axis.
        log: a logarithmic axis.
        form: d3 format of the numbers.
    """
    figure = go.Figure()
    for index, name in enumerate(colours):
        rows = table[(table["name"] == name) & ((table[value] > 0) | (not log))]
        drawn = marker(index, 10) | {"opacity": 0.9}
        if isinstance(colours, Mapping):
            drawn["color"] = colours[name]
        figure.add_scatter(
            mode="markers",
            name=wrapped(name),
            y=rows["finding"].tolist(),
            x=rows[value].tolist(),
            marker=drawn,
            hovertemplate=f"%{{y}}<br>{wrapped(name)}: %{{x:{form}}}<extra></extra>",
        )
    shown = table.loc[table["name"].isin(list(colours)), value]
    figure.update_xaxes(title_text=wrapped(title, _BESIDE), tickformat=_TICKS.get(form[-1], "~g"))
    figure.update_xaxes(**(log_axis(shown[shown > 0]) if log else {"rangemode": "tozero"}))
    row_axis(figure, order, grid=True)
    return style(figure, AROUND + ROW * len(order))


def intervals(
    table: pd.DataFrame,
    *,
    row: str,
    value: str,
    title: str,
    kinds: Sequence[str] = (),
    written: bool = False,
) -> go.Figure:
    """One row per entry: a value with the bar of its interval.

    Args:
        table: from top to bottom: the columns ``row`` and ``value``, ``low``, ``high``, ``tip`` (the text of
            the hover label), and ``kind`` where there are kinds.
        row: the column that names the rows.
        value: the column drawn.
        title: of the axis.
        kinds: in the order of the legend; each has its colour and its shape.
        written: higher rows, with the value above its marker.
    """
    figure = go.Figure()
    for index, kind in enumerate(kinds or ("",)):
        part = table[table["kind"] == kind] if kinds else table
        figure.add_scatter(
            mode="markers",
            name=kind,
            y=part[row].tolist(),
            x=part[value].tolist(),
            error_x={
                "symmetric": False,
                "array": (part["high"] - part[value]).tolist(),
                "arrayminus": (part[value] - part["low"]).tolist(),
                "thickness": 3,
                "width": 0,
            },
            marker=marker(index, 11),
            customdata=part["tip"].tolist(),
            hovertemplate="%{y}<br>%{customdata}<extra></extra>",
        )
    if written:
        for name, number in table[[row, value]].dropna().itertuples(index=False):
            figure.add_annotation(
                x=number, y=name, text=f"{number:.3f}", showarrow=False, yshift=15, font=FONT
            )
    figure.update_xaxes(title_text=wrapped(title, _BESIDE))
    row_axis(figure, table[row].tolist(), grid=True)
    return style(figure, AROUND + (46 if written else ROW) * len(table), legend=bool(kinds))


def reference_line(figure: go.Figure, x: float) -> None:
    """A dashed vertical line at ``x``; none where it is undefined."""
    if np.isfinite(x):
        figure.add_vline(x=x, line={"color": LINE, "dash": "dash", "width": 1.5})


def style(figure: go.Figure, height: int, *, legend: bool = True) -> go.Figure:
    """The layout that all charts share: whole end ticks, and a legend between tool bar and plot.

    Args:
        figure: changed in place.
        height: in pixels.
        legend: whether there is one.
    """
    above = {"orientation": "h", "x": 0, "xref": "container", "yref": "container", "yanchor": "top"}
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 26, "t": TOOLS, "b": 8},
        showlegend=legend,
        legend={**above, "y": 1 - TOOLS / height, "font": FONT, "traceorder": "normal"},
        hovermode="closest",
        modebar={"orientation": "h"},
    )


def row_axis(figure: go.Figure, names: Iterable[str], *, grid: bool = False) -> None:
    """One row per name, from top to bottom; every name is written."""
    listed = list(names)
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=listed,
        range=[len(listed) - 0.5, -0.5],
        tickmode="linear",
        tick0=0,
        dtick=1,
        tickfont=FONT,
        showgrid=grid,
        gridcolor=GRID,
        automargin=True,
    )
    figure.update_xaxes(showgrid=True, gridcolor=GRID, tickfont=FONT, automargin=True)


def log_axis(values: Iterable[float]) -> dict[str, Any]:
    """Ticks at powers of ten; for less than two of them at 1, 2 and 5 as well, which fit on a phone."""
    logs = np.log10(np.asarray(list(values) or [1.0], dtype=np.float64))
    low, high = float(logs.min()), float(logs.max())
    margin = 0.06 * max(high - low, 0.5)
    return {"type": "log", "range": [low - margin, high + margin], "dtick": "D2" if high - low < 2 else 1}


def marker(index: int, size: float | list[float]) -> dict[str, Any]:
    """Colour and shape of the system at ``index``, ``size`` pixels wide."""
    return {"color": COLOURS[index % len(COLOURS)], "symbol": SHAPES[index % len(SHAPES)], "size": size}


def wrapped(text: str, width: int = _WIDEST) -> str:
    """The text in lines of at most ``width`` characters: the default fits across a phone."""
    return "<br>".join(textwrap.wrap(text, width))
