"""The controls of the Judge page, and the parts below them."""

from collections.abc import Callable

import streamlit as st

from cxrbench.app.judge import agreement, films, scorecard, tables
from cxrbench.app.judge.controls import follow_link, pick
from cxrbench.app.widgets import terms

__all__ = ["draw"]


def draw() -> None:
    """Apply the URL, then draw the page."""
    follow_link()
    _draw()


@st.fragment
@terms.part
def _draw() -> None:
    """Draw the controls and the open part; the other parts compute nothing."""
    selection = pick()
    if selection is None:
        return
    parts: dict[str, Callable[[], None]] = {
        "Methods": lambda: tables.methods_part(selection),
        "One criterion": lambda: tables.chart_part(selection),
        "Criteria that disagree": lambda: agreement.agreement_part(selection),
        "Best and worst films": lambda: films.films_part(selection),
        "Scorecard": lambda: scorecard.scorecard_part(selection),
    }
    tabs = st.tabs(list(parts), key="judge_part", bind="query-params")
    for tab, section in zip(tabs, parts.values(), strict=True):
        with tab:
            if tab.open:
                section()
