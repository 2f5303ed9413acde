"""Texts of a page in which each term of the glossary carries its meaning where it appears first."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Final, Literal, ParamSpec, TypeVar

import streamlit as st

from cxrbench.teaching.glossary import GLOSSARY, explained, terms_of

__all__ = [
    "STYLES",
    "begin_page",
    "caption",
    "define",
    "markdown",
    "meanings",
    "part",
    "subheader",
    "with_meanings",
]

P = ParamSpec("P")
R = TypeVar("R")

STYLES: Final = Path(__file__).with_name("terms.css")
_EXPLAINED: Final = "explained_terms"  # session state: term → the parts in which it is explained
_PARTS: Final = "parts_with_terms"  # session state: the parts of the page that are being drawn


def begin_page() -> None:
    """Forget what was explained: to be called before a page is drawn."""
    st.session_state[_EXPLAINED] = {}
    st.session_state[_PARTS] = ()


def define(words: Iterable[str]) -> None:
    """Take terms as explained, since the page defines them itself."""
    _explained().update(dict.fromkeys(words, st.session_state.get(_PARTS, ())))


def part(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate what a fragment draws: where it is drawn again alone, its terms are to be explained again.

    Args:
        draw: the function below ``st.fragment``.
    """
    name = f"{draw.__module__}.{draw.__qualname__}"

    @wraps(draw)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        outer = st.session_state.get(_PARTS, ())
        st.session_state[_PARTS] = (*outer, name)
        st.session_state[_EXPLAINED] = {
            term: parts for term, parts in _explained().items() if name not in parts
        }
        try:
            return draw(*args, **kwargs)
        finally:
            st.session_state[_PARTS] = outer

    return again


def with_meanings(text: str) -> str:
    """Markdown in which the terms that no text before it on the page explains carry their meaning, as HTML.

    Args:
        text: Markdown without HTML, which is escaped.
    """
    return explained(text, leave_out=frozenset(terms_of(text).values()) - _claimed(text))


def markdown(
    text: str, *, width: Literal["auto", "stretch", "content"] | int = "auto", help: str | None = None
) -> None:
    """Draw a text; arguments as of ``with_meanings`` and ``st.markdown``."""
    st.markdown(with_meanings(text), unsafe_allow_html=True, width=width, help=help)


def caption(text: str) -> None:
    """Draw a caption; argument as of ``with_meanings``."""
    st.caption(with_meanings(text), unsafe_allow_html=True)


def subheader(text: str) -> None:
    """Draw a subheader, whose terms are explained by its help: a heading holds no buttons."""
    said = [f"**{term}**: {GLOSSARY[term].meaning}" for term in sorted(_claimed(text))]
    st.subheader(text, help="\n\n".join(said) or None)


def meanings(*texts: str) -> dict[str, str]:
    """What ``terms.js`` needs to explain the terms in the texts of a component.

    Args:
        texts: what the component shows, in its order.

    Returns:
        As written, in lower case → meaning of its term; "" where another text explains it, and for names that
        hold a term but do not mean it.
    """
    text = "\n".join(texts)
    claimed = _claimed(text)
    return {form: GLOSSARY[term].meaning if term in claimed else "" for form, term in terms_of(text).items()}


def _claimed(text: str) -> frozenset[str]:
    """The terms in a text that no other explains: from now on, this one does."""
    explaining = _explained()
    claimed = {term for term in terms_of(text).values() if term and term not in explaining}
    define(claimed)
    return frozenset(claimed)


def _explained() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = st.session_state.setdefault(_EXPLAINED, {})
    return found
