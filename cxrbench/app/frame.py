"""The main script: what surrounds every page. Computes nothing."""

from pathlib import Path

import streamlit as st

from cxrbench.compare import DISCLAIMER

_PAGES = Path(__file__).parents[2] / "pages"

st.set_page_config(page_title="cxrbench", page_icon=":material/pulmonology:", layout="wide")
page = st.navigation(
    [
        st.Page(
            _PAGES / "compare.py",
            title="Compare",
            icon=":material/compare:",
            url_path="compare",
            default=True,
            help="One radiograph: models, methods and findings side by side.",
        ),
        st.Page(
            _PAGES / "about.py",
            title="About",
            icon=":material/info:",
            url_path="about",
            help="How to read a heat map, what each method does, which models are here, and their limits.",
        ),
    ],
    position="top",
)
# Always in sight, however far a page is scrolled: the words are part of what is shown.
st.html(
    "<style>.st-key-disclaimer {position: fixed; inset: auto 0 0 0; z-index: 99; padding: 0.3rem 1rem;"
    " background: #1b2430; text-align: center} .st-key-disclaimer p {color: #fff; font-size: 0.8125rem}"
    " .st-key-disclaimer [data-testid=stMarkdownContainer] {margin: 0}</style>"
)
with st.container(key="disclaimer"):
    st.markdown(f"**Not for clinical use.** {DISCLAIMER}")
page.run()
