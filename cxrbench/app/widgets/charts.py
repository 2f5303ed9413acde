"""Shows charts on a page: text alternative, tool bar, and a legend that several charts share."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

__all__ = ["legend", "show"]

_TOOLS: Final[dict[str, Any]] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["zoomIn2d", "zoomOut2d", "autoScale2d"],
    "toImageButtonOptions": {"filename": "cxrbench-chart", "scale": 2},
}


def show(figure: go.Figure, *, alt_text: str, key: str | None = None) -> None:
    """Draw a chart as wide as its column, in the page's theme.

    Its text takes the page's text colour from main.css: Streamlit's grey has too little contrast.

    Args:
        figure: the chart.
        alt_text: text alternative.
        key: key of the element.
    """
    if "Mobi" in (st.context.headers.get("User-Agent") or ""):
        figure.update_layout(dragmode=False)  # dragging scrolls the page; the tool bar still zooms
    st.plotly_chart(figure, key=key, config=_TOOLS, alt=alt_text)


def legend(colours: Mapping[str, str]) -> str:
    """Return a legend that several charts share, as HTML."""
    square = "display:inline-block;width:0.8em;height:0.8em;margin-right:0.35em;border-radius:2px"
    items = (
        '<span style="margin-right:1.2em;white-space:nowrap">'
        f'<span style="{square};background:{colour}"></span>{escape(name)}</span>'
        for name, colour in colours.items()
    )
    return f'<div style="font-size:0.875rem">{" ".join(items)}</div>'
