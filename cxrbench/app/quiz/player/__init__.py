"""The player component of the quiz: films, marks and answers, kept in the browser alone."""

from pathlib import Path
from typing import Final

from cxrbench.app.quiz.player.schema import QuizData
from cxrbench.app.widgets.browser_module import OUTLINE_LABELS, component
from cxrbench.app.widgets.terms import STYLES

__all__ = ["player"]

_COMPONENT: Final = component(
    "cxrbench_quiz", Path(__file__).parent, "player", styles=[OUTLINE_LABELS, STYLES]
)


def player(data: QuizData, *, key: str) -> None:
    """Show a quiz.

    Nothing is sent back: answers stay in the browser's session storage, under the quiz's id.

    Args:
        data: the quiz, with the films that are prepared so far.
        key: key of the element.
    """
    _COMPONENT(data=dict(data), key=key)
