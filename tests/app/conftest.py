"""What tests of several pages share."""

import pytest

from cxrbench.app.widgets import terms


@pytest.fixture
def plain_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts of pages as they were written, without the meanings of their terms."""

    def as_written(text: str, *, leave_out: frozenset[str]) -> str:
        return text

    monkeypatch.setattr(terms, "explained", as_written)
