"""The Data page: what is on the bench, folders of one's own, and how to get the published data sets."""

import streamlit as st

from cxrbench.app.data import own_sets, published

_ABOUT = (
    "Label tables and images that the other pages can open. Add the folder of a published data set that you "
    "have: it is recognised from its files, every image is read once, and what is missing, damaged or "
    "doubled is reported. Nothing is copied, and nothing in your folder is changed."
)


def draw() -> None:
    """Draw the page."""
    st.caption(_ABOUT)
    st.header("Your data sets")
    own_sets.add_form()
    own_sets.listing()
    st.header("On the bench")
    published.tables()
    st.header("How to get data sets")
    published.sources()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
