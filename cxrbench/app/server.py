"""What the workbench's server needs: its main script, and a start that loads the models in the background."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cxrbench.app import main
from cxrbench.app.services import model_registry

__all__ = ["MAIN", "lifespan"]

MAIN = main.__file__


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Load the models in the background: the first page is drawn from the gallery meanwhile."""
    model_registry.start()
    yield
