"""The Start page: what the workbench is, shown on one film, and the ways into it."""

from typing import Final

import streamlit as st

from cxrbench.app.navigation import open_pages
from cxrbench.app.start.example import draw_example
from cxrbench.app.start.pictures import thumbnails
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.compare import gallery

_WAYS: Final = (
    ("compare", "Compare", "Put any film, also your own, under several models and methods side by side."),
    ("learn", "Learn", "Short lessons with a question at every step; the answers are computed."),
    (
        "quiz",
        "Quiz",
        "Mark the finding yourself, then see the model's answer: does it help or mislead you?",
    ),
    ("judge", "Judge", "Which method finds the finding, and which only looks as if it did?"),
    ("data", "Data", "Bring a data set of your own, or see where to get a public one."),
)


def draw() -> None:
    """Draw the purpose, an example, the ways into the workbench, and the gallery."""
    introduction = (
        "See what chest X-ray classifiers look at, and hold their heat maps against the exact truth: on "
        "simulated patients, the same film can be taken **without the finding**."
    )
    terms.markdown(introduction)
    draw_example()
    if not gallery.cases():
        st.info(
            "The gallery is empty, so there is no example here: open a radiograph of your own on Compare, or "
            "build the gallery with `train/gallery.py`."
        )
    _draw_ways()
    _draw_gallery()


def _draw_ways() -> None:
    ways = [way for way in _WAYS if way[0] in open_pages()]
    for column, (name, title, text) in zip(st.columns(len(ways)), ways, strict=True):
        with column, st.container(border=True, height="stretch"):
            page_link(name, f"**{title}**")
            st.caption(text)


def _draw_gallery() -> None:
    cases, pictures = gallery.cases(), thumbnails()
    if not cases:
        return
    st.header("Gallery", anchor=False)
    terms.caption(
        f"{len(cases)} simulated radiographs, each with the maps of {len(gallery.methods())} methods for "
        f"{len(gallery.models())} models, ready to open."
    )
    with st.container(horizontal=True, gap="small", key="gallery"):
        for entry in cases:
            with st.container(width=208, gap="xxsmall"):
                if entry.id in pictures:
                    st.image(
                        pictures[entry.id], width=144, output_format="PNG", alt=f"Radiograph: {entry.title}."
                    )
                page_link("compare", entry.title, query_params=[("case", entry.id)], icon=None)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
