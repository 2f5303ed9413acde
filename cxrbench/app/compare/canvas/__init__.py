"""The canvas component: panels with a shared view and cross-hair, drawn entirely in the browser."""

from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.compare.canvas.schema import SceneData
from cxrbench.app.widgets.browser_module import joined_module

__all__ = ["canvas"]

_ROOM: Final = Path(__file__).parent

_COMPONENT = st.components.v2.component(
    "cxrbench_canvas",
    html=(_ROOM / "canvas.html").read_text(encoding="utf-8"),
    css=(_ROOM / "canvas.css").read_text(encoding="utf-8"),
    js=joined_module(_ROOM / "index.js"),
)


def canvas(data: SceneData, *, key: str) -> None:
    """Show panels side by side.

    Nothing is sent back: opacity, colours, threshold, scale, zoom and cross-hair stay in the browser.

    Args:
        data: the result of ``scene.scene``.
        key: key of the element; the view is kept when its data change.
    """
    _COMPONENT(data=dict(data), key=key)
