"""The frame around every page: name, menu, and the sentence that must never be missing."""

from pathlib import Path

import streamlit as st

from cxrbench.compare.captions import DISCLAIMER

PAGES = Path(__file__).resolve().parents[2] / "pages"

st.set_page_config(page_title="cxrbench", page_icon="🩻", layout="wide")

page = st.navigation(
    [
        st.Page(
            PAGES / "compare.py",
            title="Compare",
            icon=":material/compare:",
            default=True,
            help="One radiograph, explained by several models and methods side by side.",
        ),
        st.Page(
            PAGES / "about.py",
            title="About",
            icon=":material/info:",
            help="What the bench is, how to read a heat map, and what each method does.",
        ),
    ],
    position="top",
)
page.run()
st.caption(f":material/warning: **Not for clinical use.** {DISCLAIMER}")
