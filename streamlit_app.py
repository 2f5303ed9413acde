"""The workbench: `streamlit run streamlit_app.py`, or `./scripts/app`. Holds the frame, computes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Load torch and the models while the first visitor looks at a gallery case, which needs neither."""
    from cxrbench.app import engine

    engine.warm()
    yield


# The script that draws the frame lies elsewhere: beside this file, Streamlit would take pages/ for a menu of its
# own, and a link to a page would open it without the frame.
app = st.App(Path(__file__).parent / "cxrbench" / "app" / "frame.py", lifespan=lifespan)
