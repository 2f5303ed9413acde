"""The Quiz page: films read alone, then with an AI that is sometimes wrong on purpose."""

from typing import Final

import streamlit as st

from cxrbench.app.quiz.available import planned_quiz, quiz_models
from cxrbench.app.quiz.controls import MAP_METHODS, Setup, pick_setup
from cxrbench.app.quiz.player import player
from cxrbench.app.quiz.player.schema import QuizData
from cxrbench.app.quiz.preparation import Prepared, prepared
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.share import link_popover
from cxrbench.errors import InputError
from cxrbench.teaching.glossary import meanings_of
from cxrbench.teaching.quiz import COLUMNS, FIGURES, GRID, PATTERNS, Quiz

__all__ = ["draw", "quiz_data"]

_ABOUT: Final = (
    "Read each film alone first: mark the place, and say how sure you are. Then see what an AI says, with "
    "its map, and keep or change your answer. The AI is not always right. At the end you see what it did to "
    "your answers."
)
_TERMS: Final = "score, finding, lesion"  # in the texts of the player
_POLL_SECONDS: Final = 2.0


def quiz_data(setup: Setup, quiz: Quiz, films: Prepared) -> QuizData:
    """A quiz as JSON values for the player, with the films that are prepared so far."""
    about = MAP_METHODS[setup.method].about
    return {
        "id": setup.id,
        "finding": setup.settings.finding,
        "model": setup.model.title,
        "method": setup.method,
        "about_method": about,
        "grid": GRID,
        "films": len(quiz.items),
        "retest_films": len(quiz.retest),
        "items": list(films.items),
        "retest": list(films.retest),
        "figures": [
            {
                "key": key,
                "title": figure.title,
                "group": figure.group,
                "unit": figure.unit,
                "meaning": figure.meaning,
            }
            for key, figure in FIGURES.items()
        ],
        "patterns": [
            {
                "agreement": agreement,
                "ai_right": ai_right,
                "title": pattern.title,
                "meaning": pattern.meaning,
            }
            for (agreement, ai_right), pattern in PATTERNS.items()
        ],
        "terms": meanings_of(
            _TERMS,
            setup.method,
            MAP_METHODS[setup.method].about,
            *(each.meaning for each in PATTERNS.values()),
        ),
        "columns": list(COLUMNS),
    }


def draw() -> None:
    """Draw the page."""
    top = st.container(horizontal=True, key="quiz_top")
    with top, st.container(key="about"):
        terms.caption(_ABOUT)
    models = quiz_models()
    if not models:
        st.info(
            "A quiz needs a model with stored predictions of phantoms, and there is none yet. Training on "
            "phantoms stores them: start a recipe on the Train page, or with `cxrbench train`."
        )
        return
    place = st.container()
    try:
        setup = pick_setup(models)
        quiz = planned_quiz(setup.settings, setup.model)
    except InputError as error:
        place.error(str(error))
        return
    with top:
        link_popover(
            setup.link,
            f"Opens this quiz: {setup.settings.films} films, seed {setup.settings.seed}. Everybody who opens "
            "it reads the same films, with the same answers of the AI.",
            key="open_share",
        )
    films = prepared(setup)
    films.advance(setup, quiz)
    with place:
        player(quiz_data(setup, quiz, films), key="quiz_player")
    if not films.complete(quiz):
        _prepare(setup, quiz, films, films.ready)


@st.fragment(run_every=_POLL_SECONDS)
def _prepare(setup: Setup, quiz: Quiz, films: Prepared, shown: int) -> None:
    """Prepare further films; draw the page again when there are twice as many as it shows, or all of a round.

    Each drawing sends all films again, so it must not happen for every one.

    Args:
        setup: of the quiz.
        quiz: its films.
        films: what is prepared.
        shown: number of films with a map when the page was drawn.
    """
    films.advance(setup, quiz)
    all_maps = films.ready == len(quiz.items)
    if films.complete(quiz) or films.ready >= max(1, 2 * shown) or (all_maps and films.ready > shown):
        st.rerun()
    done, total = films.ready, len(quiz.items)
    text = f"{done} of {total} films have their map; you can begin meanwhile."
    if all_maps:
        done, total = len(films.retest), len(quiz.retest)
        text = f"{done} of {total} films of the retest are rendered."
    st.progress(done / total, text=text)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
