"""The workbench: `streamlit run streamlit_app.py`. The frame draws the pages; models load beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from cxrbench.app import main
from cxrbench.app.services import model_registry


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Load the models in the background: the first page is drawn from the gallery meanwhile."""
    model_registry.start()
    yield


app = st.App(main.__file__, lifespan=lifespan)
