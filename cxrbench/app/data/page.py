"""The Data page: what is on the bench, folders of one's own, and how to get the published data sets."""

import streamlit as st

from cxrbench.app.data import own_sets, published


def draw() -> None:
    """Draw the page."""
    st.header("Your data sets")
    own_sets.add_form()
    own_sets.listing()
    st.header("On the bench")
    published.tables()
    st.header("How to get data sets")
    published.sources()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
