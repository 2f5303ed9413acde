"""The workbench: `streamlit run streamlit_app.py`. The frame draws the pages; models load beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from cxrbench.app import stock

_FRAME = Path(stock.__file__).with_name("frame.py")


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Load the models in the background: the first page is drawn from the gallery meanwhile."""
    stock.start()
    yield


app = st.App(_FRAME, lifespan=lifespan)
