"""The curves component: a threshold slider that updates points and counts in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.performance.curves.schema import CellClick, FindingData
from cxrbench.app.widgets.browser_module import component
from cxrbench.app.widgets.terms import STYLES, meanings

__all__ = ["curves"]

_COMPONENT: Final = component(
    "cxrbench_curves", Path(__file__).parent, "curves", entry="slide.js", styles=[STYLES]
)
# Terms that the plots are labelled with.
_WORDS: Final = "ROC, average precision, Sensitivity, Specificity"


def curves(data: FindingData, *, key: str, on_cell: Callable[[CellClick], None]) -> None:
    """Show ROC and precision–recall curves, score histogram and confusion matrix of one finding.

    Args:
        data: the result of ``curve_data.curve_data``.
        key: key of the element; the threshold is kept when the data change but not the finding and the rule.
        on_cell: called with a cell of the confusion matrix that was clicked, before the page is drawn.
    """
    _COMPONENT(
        data={**data, "terms": meanings(_WORDS)},
        key=key,
        on_cell_change=lambda: on_cell(st.session_state[key]["cell"]),
    )
