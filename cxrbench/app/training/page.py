"""How does a model learn? Start a recipe, watch it, stop it, go on; its model appears on the bench."""

import streamlit as st

from cxrbench.app.training import view


def draw() -> None:
    """Controls of a run, and its course."""
    st.caption(view.ABOUT)
    controls, course = st.columns([1, 2.3], gap="large")
    with controls:
        view.choose()
    with course:
        run = view.pick()
        if run:
            view.follow(run)
        else:
            st.info(
                "Nothing has been trained here yet. The recipe `smoke` is the shortest: it draws 20 "
                "phantoms, trains on them and evaluates the model. It shows that everything works; its model "
                "has learned nothing."
            )
    view.watch()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
