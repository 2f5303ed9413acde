"""The main script: navigation and what surrounds every page; computes nothing."""

from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cxrbench.compare import DISCLAIMER

_ROOM: Final = Path(__file__).resolve().parent
_PAGES: Final = _ROOM.parents[1] / "pages"

# File in pages/ and, but for the first, last part of the address → title, icon, what the page is for.
_ENTRIES: Final = {
    "compare": ("Compare", "compare", "One radiograph: models, methods and findings side by side."),
    "performance": (
        "Performance",
        "monitoring",
        "ROC curves, thresholds, intervals, groups of patients and errors of every model.",
    ),
    "imbalance": (
        "Imbalance",
        "balance",
        "How unequal the findings of a data set are, and what can be done about it.",
    ),
    "phantom": ("Phantom", "body_system", "A simulated chest whose truth is known, made as you order it."),
    "preparation": (
        "Preparation",
        "tune",
        "One film through every step before the network, and every augmentation, before and after.",
    ),
    "train": ("Train", "model_training", "Train a model by a recipe, in the background, and watch it learn."),
    "about": (
        "About",
        "info",
        "How to read a heat map, what each method does, which models are here, and their limits.",
    ),
}


def main() -> None:
    """Draw the frame, and the page that the address names in it."""
    # Before the navigation: without an icon, browsers would fetch that of each page from Google's servers.
    st.set_page_config(page_title="cxrbench", page_icon=str(_ROOM / "icon.svg"), layout="wide")
    page = st.navigation(_pages(), position="top")
    st.set_page_config(page_title=f"{page.title} · cxrbench")
    st.html(_ROOM / "frame.css")
    with st.container(key="disclaimer"):
        st.markdown(f"**Not for clinical use.** {DISCLAIMER}")
    st.title(page.title, anchor=False)
    page.run()


def _pages() -> list[StreamlitPage]:
    pages = [
        st.Page(
            _PAGES / f"{name}.py",
            title=title,
            icon=f":material/{icon}:",
            url_path="home" if index == 0 else name,
            default=index == 0,
            help=about,
        )
        for index, (name, (title, icon, about)) in enumerate(_ENTRIES.items())
    ]
    # The first page's own address is "/"; links that spell it out must open it too.
    spelt_out = st.Page(_PAGES / "compare.py", title="Compare", url_path="compare", visibility="hidden")
    return [*pages, spelt_out]


if __name__ == "__main__":
    main()
