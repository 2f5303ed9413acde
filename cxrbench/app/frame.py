"""The main script: what surrounds every page. Computes nothing."""

from pathlib import Path

import streamlit as st

from cxrbench.compare import DISCLAIMER

_ROOM = Path(__file__).parent
_PAGES = _ROOM.parents[1] / "pages"

# Before the navigation: without an icon, browsers would fetch that of each page from Google's servers.
st.set_page_config(page_title="cxrbench", page_icon=str(_ROOM / "icon.svg"), layout="wide")
page = st.navigation(
    [
        st.Page(
            _PAGES / "compare.py",
            title="Compare",
            icon=":material/compare:",
            url_path="home",
            default=True,
            help="One radiograph: models, methods and findings side by side.",
        ),
        st.Page(
            _PAGES / "performance.py",
            title="Performance",
            icon=":material/monitoring:",
            url_path="performance",
            help="ROC curves, thresholds, intervals, groups of patients and errors of every model.",
        ),
        st.Page(
            _PAGES / "imbalance.py",
            title="Imbalance",
            icon=":material/balance:",
            url_path="imbalance",
            help="How unequal the findings of a data set are, and what can be done about it.",
        ),
        st.Page(
            _PAGES / "phantom.py",
            title="Phantom",
            icon=":material/body_system:",
            url_path="phantom",
            help="A simulated chest whose truth is known, made as you order it.",
        ),
        st.Page(
            _PAGES / "preparation.py",
            title="Preparation",
            icon=":material/tune:",
            url_path="preparation",
            help="One film through every step before the network, and every augmentation, before and after.",
        ),
        st.Page(
            _PAGES / "train.py",
            title="Train",
            icon=":material/model_training:",
            url_path="train",
            help="Train a model by a recipe, in the background, and watch it learn.",
        ),
        st.Page(
            _PAGES / "about.py",
            title="About",
            icon=":material/info:",
            url_path="about",
            help="How to read a heat map, what each method does, which models are here, and their limits.",
        ),
        # The first page's own address is "/"; links that spell it out must open it too.
        st.Page(_PAGES / "compare.py", title="Compare", url_path="compare", visibility="hidden"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · cxrbench")
st.html(_ROOM / "frame.css")
with st.container(key="disclaimer"):
    st.markdown(f"**Not for clinical use.** {DISCLAIMER}")
st.title(page.title, anchor=False)
page.run()
