"""Start, follow, stop and resume training runs."""

import streamlit as st

from cxrbench.app.training import view


def draw() -> None:
    """Draw the page."""
    controls, progress = st.columns([1, 2.3], gap="large")
    with controls:
        view.choose()
    with progress:
        run = view.pick()
        if run:
            view.follow(run)
        else:
            st.info(
                "Nothing has been trained here yet. The recipe `smoke` is the shortest: it simulates 20 "
                "phantoms, trains on them and evaluates the model. It checks that everything works; the "
                "model itself is useless."
            )
    view.rerun_on_change()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
