"""The Judge page: explanation methods judged against known truth, from stored results."""

import streamlit as st


def draw() -> None:
    """Draw the page."""
    with st.spinner("Loading methods and criteria …"):
        # Imported here: the tables of methods and criteria need torch, which takes seconds in a new process.
        from cxrbench.app.judge import workspace
    workspace.draw()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
