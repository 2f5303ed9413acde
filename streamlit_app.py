"""The workbench: `cxrbench app` has Streamlit run this script, in a checkout and installed from a wheel."""

import streamlit as st

from cxrbench.app.server import MAIN, lifespan

# Streamlit recognises an app by this very call; it does not follow imports.
app = st.App(MAIN, lifespan=lifespan)
