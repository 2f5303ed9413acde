"""The curves component: a threshold slider that updates points and counts in the browser."""

from pathlib import Path
from typing import Final, cast

import streamlit as st

from cxrbench.app.performance.curves.schema import CellClick, FindingData
from cxrbench.app.widgets.browser_module import joined_module

__all__ = ["curves"]

_ROOM: Final = Path(__file__).parent

_COMPONENT = st.components.v2.component(
    "cxrbench_curves",
    html=(_ROOM / "curves.html").read_text(encoding="utf-8"),
    css=(_ROOM / "curves.css").read_text(encoding="utf-8"),
    js=joined_module(_ROOM / "slide.js"),
)


def curves(data: FindingData, *, key: str) -> CellClick | None:
    """Show ROC and precision–recall curves, score histogram and confusion matrix of one finding.

    Args:
        data: the result of ``curve_data.curve_data``.
        key: key of the element; the threshold is kept when the data change but not the finding and the rule.

    Returns:
        The cell of the confusion matrix that was clicked in this run; None if none was clicked.
    """
    found = _COMPONENT(data=dict(data), key=key, on_cell_change=lambda: None)
    return cast(CellClick | None, found.cell)
