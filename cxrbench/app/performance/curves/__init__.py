"""The curves component: a threshold slider that updates points and counts in the browser."""

from pathlib import Path
from typing import Final, cast

from cxrbench.app.performance.curves.schema import CellClick, FindingData
from cxrbench.app.widgets.browser_module import component

__all__ = ["curves"]

_COMPONENT: Final = component("cxrbench_curves", Path(__file__).parent, "curves", entry="slide.js")


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
