"""What tests of several pages share."""

import threading

import pytest

from cxrbench.app.services import model_registry
from cxrbench.app.widgets import terms


@pytest.fixture
def no_models_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is loaded, as in a process that has just started, and each look finds those that there are."""
    state = {
        "_scans": [],
        "_failed": [],
        "_done": threading.Event(),
        "_started": False,
        "_fingerprints": {},
        "_SCAN_INTERVAL": 0.0,
    }
    for name, value in state.items():
        monkeypatch.setattr(model_registry, name, value)


@pytest.fixture
def plain_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts of pages as they were written, without the meanings of their terms."""

    def as_written(text: str, *, leave_out: frozenset[str]) -> str:
        return text

    monkeypatch.setattr(terms, "explained", as_written)
