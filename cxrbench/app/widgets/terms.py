"""Texts of a page in which each term of the glossary carries its meaning where it appears first."""

import re
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.teaching.glossary import explained, terms_of

__all__ = ["STYLES", "begin_page", "caption", "with_meanings"]

STYLES: Final = Path(__file__).with_name("terms.css")
_EXPLAINED: Final = "explained_terms"  # session state: term → the text of this page that explains it
_BOLD: Final = re.compile(r"\*\*(.+?)\*\*")


def begin_page() -> None:
    """Forget what was explained: to be called before a page is drawn."""
    st.session_state[_EXPLAINED] = {}


def with_meanings(text: str) -> str:
    """A text as HTML in which the terms that no text before it on the page explains carry their meaning.

    A fragment that is drawn again gets the same result.

    Args:
        text: plain, but for words in ``**bold**``.
    """
    explaining: dict[str, str] = st.session_state.setdefault(_EXPLAINED, {})
    for term in terms_of(text):
        explaining.setdefault(term, text)
    elsewhere = frozenset(term for term, other in explaining.items() if other != text)
    return _BOLD.sub(r"<strong>\1</strong>", explained(text, leave_out=elsewhere))


def caption(text: str) -> None:
    """Draw a caption; argument as of ``with_meanings``."""
    st.html(f'<p class="caption">{with_meanings(text)}</p>')
