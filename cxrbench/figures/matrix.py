"""A square of findings against findings, coloured by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import plotly.graph_objects as go

from cxrbench.figures.charts import FONT, style
from cxrbench.figures.colours import Colours

__all__ = ["ColourAxis", "matrix"]

_CELL: Final = 29  # pixels
_AROUND: Final = 250  # pixels for colour bar and slanted names


@dataclass(frozen=True)
class ColourAxis:
    """The mapping of values to colours.

    Args:
        title: title of the colour bar.
        colours: colour table.
        low: the value of its first colour.
        high: the value of its last colour.
        ticks: value → text, on the colour bar.
    """

    title: str
    colours: Colours
    low: float
    high: float
    ticks: Mapping[float, str]


def matrix(
    values: np.ndarray, labels: Sequence[str], axis: ColourAxis, *, texts: np.ndarray, tips: np.ndarray
) -> go.Figure:
    """One coloured cell per pair of findings, with a text in it.

    Args:
        values: (L, L); a cell of NaN is empty.
        labels: L names, on both sides.
        axis: mapping of values to colours.
        texts: (L, L) text in the cells.
        tips: (L, L) hover labels.
    """
    anchors = axis.colours.anchors
    places = np.linspace(0, 1, len(anchors)).tolist()
    bar = {"orientation": "h", "thickness": 10, "lenmode": "pixels", "len": 240}
    place = {"x": 0, "xanchor": "left", "xpad": 0, "y": 1, "yanchor": "bottom", "ypad": 8}
    ticks = {"tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values()), "tickfont": FONT}
    title = {"text": axis.title, "side": "top", "font": FONT}
    figure = go.Figure()
    figure.add_heatmap(
        z=[[None if np.isnan(value) else float(value) for value in row] for row in values],
        x=list(labels),
        y=list(labels),
        customdata=tips.tolist(),
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
        zmin=axis.low,
        zmax=axis.high,
        colorscale=list(zip(places, anchors, strict=True)),
        colorbar={**bar, **place, **ticks, "title": title},
    )
    rows, columns = np.nonzero(~np.isnan(values) & (texts != ""))
    names = np.array(labels)
    figure.add_scatter(
        mode="text",
        x=names[columns].tolist(),
        y=names[rows].tolist(),
        text=texts[rows, columns].tolist(),
        textfont={"size": 11, "color": _readable(values[rows, columns], axis)},
        hoverinfo="skip",
        showlegend=False,
    )
    sides = {"type": "category", "categoryorder": "array", "categoryarray": list(labels), "showgrid": False}
    whole = {"tickmode": "linear", "tick0": 0, "dtick": 1, "tickfont": FONT, "automargin": True}
    figure.update_xaxes(tickangle=-60, range=[-0.5, len(labels) - 0.5], **sides, **whole)
    figure.update_yaxes(range=[len(labels) - 0.5, -0.5], **sides, **whole)
    return style(figure, _AROUND + _CELL * len(labels), legend=False)


def _readable(values: np.ndarray, axis: ColourAxis) -> list[str]:
    """White or black, whichever has the higher contrast to the colour of each value (WCAG 2): 4.5 or more."""
    part = np.clip((values - axis.low) / (axis.high - axis.low), 0, 1)
    rgb = axis.colours.table[np.round(255 * part).astype(int)] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    white = 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05
    return ["#ffffff" if is_white else "#000000" for is_white in white]
