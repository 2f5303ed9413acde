"""The page's address says what is shown: it can be copied, sent, opened cold, and walked back through.

Streamlit can bind a widget to the address by itself, but then writes the words of the menu into it. Links must outlive
a change of wording, so ids are written here.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import streamlit as st

__all__ = ["KEYS", "apply", "problems", "read", "write"]

KEYS: Final = ("case", "model", "method", "finding", "stage", "baseline", "steps")
_ASKED: Final = "link asked"
_KNOWN: Final = "link known"
_PROBLEMS: Final = "link problems"


def read() -> None:
    """Take in the address where the page did not write it itself: at the first run, and after back or forward."""
    query = {key: st.query_params.get_all(key) for key in KEYS if key in st.query_params}
    state = st.session_state
    if query != state.get(_KNOWN):
        # A cold page without parameters shows its defaults; a page walked back to must return to them.
        state[_ASKED] = {key: query.get(key, []) for key in KEYS} if query or _KNOWN in state else {}
        state[_KNOWN], state[_PROBLEMS] = query, []


def apply(
    key: str, options: Mapping[str, Any], default: Any, *, explained: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Set a widget, not yet drawn, to what the address asks for; what means nothing here is left out, and said.

    Args:
        key: of the widget and the parameter.
        options: what may be asked → the widget's value for it.
        default: the widget's value where nothing valid is asked: a list where several may be chosen.
        explained: sentences on values that are unknown for a reason.
    """
    values: list[str] | None = st.session_state.get(_ASKED, {}).pop(key, None)
    if values is None:
        return
    valid = [options[value] for value in dict.fromkeys(values) if value in options]
    strangers = [value for value in values if value not in options]
    if strangers:
        names = ", ".join(repr(value[:60]) for value in strangers[:3])
        unknown = f"The link asks for the {key} {names}, which is not known here; it was left out."
        st.session_state[_PROBLEMS].append(explained.get(strangers[0], unknown))
    if isinstance(default, list):
        st.session_state[key] = valid or default
    else:
        st.session_state[key] = valid[-1] if valid else default


def write(values: Mapping[str, Sequence[str]], defaults: Mapping[str, Sequence[str]]) -> None:
    """Put what is shown into the address; what is so by default is left out, and other parameters stay."""
    query = {
        key: list(values[key]) for key in KEYS if key in values and list(values[key]) != list(defaults[key])
    }
    for key in KEYS:
        if key not in query and key in st.query_params:
            del st.query_params[key]
        elif key in query and st.query_params.get_all(key) != query[key]:
            st.query_params[key] = query[key]
    st.session_state[_KNOWN] = query


def problems() -> list[str]:
    """Sentences on what the address asked for in vain."""
    return list(st.session_state.get(_PROBLEMS, []))
