"""The lesson player: lessons as plain data, played in the browser; nothing of it is kept on the server."""

from pathlib import Path
from typing import Final, cast

from cxrbench.app.learn.player.schema import LearnData, OpenData
from cxrbench.app.widgets import browser_module, terms

__all__ = ["player"]

_COMPONENT: Final = browser_module.component(
    "cxrbench_learn",
    Path(__file__).parent,
    "player",
    styles=[terms.STYLES, browser_module.OUTLINE_LABELS],
)


def player(data: LearnData, *, key: str) -> OpenData | None:
    """Show the list of lessons, or play the one that is open.

    Args:
        data: the result of ``lesson_data.learn_data``.
        key: key of the element.

    Returns:
        The lesson that was clicked in this run, "" for the list; None if none was clicked.
    """
    clicked = _COMPONENT(data=dict(data), key=key, on_open_change=lambda: None)
    return cast(OpenData | None, clicked.open)
