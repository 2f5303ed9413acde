"""The canvas component: panels with a shared view and cross-hair, drawn entirely in the browser."""

from pathlib import Path
from typing import Final

from cxrbench.app.compare.canvas.schema import SceneData
from cxrbench.app.widgets.browser_module import component

__all__ = ["canvas"]

_COMPONENT: Final = component("cxrbench_canvas", Path(__file__).parent, "canvas")


def canvas(data: SceneData, *, key: str) -> None:
    """Show panels side by side.

    Nothing is sent back: opacity, colours, threshold, scale, zoom and cross-hair stay in the browser.

    Args:
        data: the result of ``scene.scene``.
        key: key of the element; the view is kept when its data change.
    """
    _COMPONENT(data=dict(data), key=key)
