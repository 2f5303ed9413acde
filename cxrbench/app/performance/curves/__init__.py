"""The curves component: a threshold slider that updates points and counts in the browser."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

__all__ = ["curves"]

# One module for the browser, cut into files by subject; later ones use what earlier ones define.
_SCRIPTS: Final = ("plot", "confusion", "slide")
_ROOM: Final = Path(__file__).parent

_COMPONENT = st.components.v2.component(
    "cxrbench_curves",
    html=(_ROOM / "curves.html").read_text(encoding="utf-8"),
    css=(_ROOM / "curves.css").read_text(encoding="utf-8"),
    js="\n".join((_ROOM / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS),
)


def curves(data: Mapping[str, Any], *, key: str) -> Mapping[str, Any] | None:
    """Show ROC, precision–recall, the scores and the confusion counts of one finding.

    Args:
        data: what ``curve_data.curve_data`` makes.
        key: of the place in the page; the threshold survives new data of the same finding and rule.

    Returns:
        The cell of the counts that was clicked in this run: ``system``, ``kind`` ("hits", "alarms", "misses"
        or "rejections"), ``threshold`` and ``finding``; None where none was.
    """
    found = _COMPONENT(data=dict(data), key=key, on_cell_change=lambda: None)
    cell: Mapping[str, Any] | None = found.cell
    return cell
