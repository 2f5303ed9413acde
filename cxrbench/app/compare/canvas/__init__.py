"""The canvas component: panels with a shared view and cross-hair, drawn in the browser alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

__all__ = ["canvas"]

# One module for the browser, cut into files by subject; later ones use what earlier ones define.
_SCRIPTS: Final = ("field", "view", "draw", "panel", "gestures", "toolbar", "save", "index")
_ROOM: Final = Path(__file__).parent

_COMPONENT = st.components.v2.component(
    "cxrbench_canvas",
    html=(_ROOM / "canvas.html").read_text(encoding="utf-8"),
    css=(_ROOM / "canvas.css").read_text(encoding="utf-8"),
    js="\n".join((_ROOM / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS),
)


def canvas(data: Mapping[str, Any], *, key: str) -> None:
    """Show panels side by side.

    Nothing ever comes back: opacity, colours, threshold, scale, zoom and cross-hair live in the browser.

    Args:
        data: what ``panels.scene`` makes.
        key: of the place in the page; the view survives new data under the same key.
    """
    _COMPONENT(data=dict(data), key=key)
