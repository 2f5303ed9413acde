"""The Learn page: a list of lessons, and the one that is open."""

import streamlit as st

from cxrbench.app.learn.lesson_data import learn_data
from cxrbench.app.learn.player import player
from cxrbench.app.widgets import presenter
from cxrbench.app.widgets.share import link_dialog
from cxrbench.errors import InputError
from cxrbench.teaching.lessons import read_lessons

_LESSON = "lesson"  # query parameter


def draw() -> None:
    """Draw the list of lessons, or the lesson that the address names."""
    lessons, problems = read_lessons()
    opened = st.query_params.get(_LESSON, "")
    if opened and opened not in {lesson.id for lesson in lessons}:
        st.warning(f"There is no lesson {opened[:60]!r}; choose one of these.")
        opened = ""
    try:
        data = learn_data(lessons, opened)
    except InputError as error:
        st.error(str(error))
        opened = ""
        data = learn_data(lessons, opened)
    clicked = player(data, key=f"lesson-{opened or 'list'}")
    if not opened:
        for problem in problems:
            st.error(problem)
        if not lessons:
            st.info(
                "There are no lessons here. Write one with `cxrbench lesson new my-lesson.toml`, and name "
                "its folder in `CXRBENCH_LESSONS`."
            )
    if clicked is not None and clicked["kind"] == "share":
        link = [(_LESSON, clicked["id"]), ("step", str(clicked["step"]))]
        link_dialog(link, f"Opens step {clicked['step']} of this lesson.")
    elif clicked is not None and clicked["id"] != opened:
        lesson = {_LESSON: clicked["id"]} if clicked["id"] else {}
        st.query_params.from_dict({**lesson, **presenter.address_parameters()})
        st.rerun()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
