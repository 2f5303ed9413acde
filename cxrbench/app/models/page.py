"""The Models page: what is on the bench, models of others to add with one click, and models of one's own."""

import streamlit as st

from cxrbench.app.models import adding, bench

__all__ = ["draw"]


def draw() -> None:
    """Draw the page."""
    st.header("On the bench")
    bench.listing()
    st.header("Add a model of others")
    adding.offered()
    st.header("Add a model of your own")
    adding.form()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
