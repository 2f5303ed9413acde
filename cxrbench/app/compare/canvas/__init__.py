"""The canvas component: panels with a shared view and cross-hair, drawn entirely in the browser."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cxrbench.app.compare.canvas.schema import PanelData, SceneData
from cxrbench.app.widgets.browser_module import component
from cxrbench.app.widgets.terms import STYLES, meanings

__all__ = ["canvas"]

_LONGEST: Final = 200  # characters of a view, which comes from a browser
_COMPONENT: Final = component("cxrbench_canvas", Path(__file__).parent, "canvas", styles=[STYLES])


def canvas(data: SceneData, *, key: str) -> str:
    """Show panels side by side.

    Opacity, colours, threshold, scale, zoom and cross-hair stay in the browser; nothing is sent back while
    they change.

    Args:
        data: the result of ``scene.scene``.
        key: key of the element; the view is kept when its data change.

    Returns:
        How the panels were drawn when the data asked for it last: the value of the query parameter ``view``;
        "" if the reader had changed nothing, and before the canvas has answered.
    """
    sent = {**data, "terms": meanings(*data["shared"], *_texts(data["panels"]))}
    found = _COMPONENT(data=sent, key=key, default={"view": ""}, on_view_change=lambda: None)
    return str(found.view or "")[:_LONGEST]


def _texts(panels: Sequence[PanelData]) -> Iterator[str]:
    """What stands at each panel, in its order."""
    for panel in panels:
        yield from (panel["title"], *panel["notes"], *panel["facts"])
