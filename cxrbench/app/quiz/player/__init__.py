"""The player component of the quiz: films, marks and answers, kept in the browser alone."""

from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.quiz.player.schema import QuizData
from cxrbench.app.widgets.browser_module import joined_module

__all__ = ["player"]

_ROOM: Final = Path(__file__).parent

_COMPONENT = st.components.v2.component(
    "cxrbench_quiz",
    html=(_ROOM / "player.html").read_text(encoding="utf-8"),
    css=(_ROOM / "player.css").read_text(encoding="utf-8"),
    js=joined_module(_ROOM / "index.js"),
)


def player(data: QuizData, *, key: str) -> None:
    """Show a quiz.

    Nothing is sent back: answers stay in the browser's session storage, under the quiz's id.

    Args:
        data: the quiz, with the films that are prepared so far.
        key: key of the element.
    """
    _COMPONENT(data=dict(data), key=key)
