"""Synchronises a page's widgets and its URL, in both directions.

Streamlit adds an entry to the browser's history for every message that changes the URL. A page therefore
writes its whole state in one message, and only when the user changed it: each entry is then a state of the
page, and Back and Forward, which change the URL without a click on a widget, set the widgets to it.

A browser sends its URL with every message, and that URL is out of date while an answer that changes it is
under way: of two clicks in quick succession the second sends the URL from before both. A page therefore draws
its widgets in a fragment, where clicks rerun only the fragment, and applies the URL outside of it: in runs of
the whole page, which are caused by opening it and by Back and Forward.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import streamlit as st

__all__ = ["NOTHING", "follow", "keep"]

NOTHING: Final = "none"

_ADDRESS: Final = "address"  # session state: query parameters at the last run
_APPLIED: Final = "address_asked"  # session state: parameters that were applied, until the widgets are drawn
_HELD: Final = "address_choice"  # session state: the state of the page at that URL


def follow(keys: Mapping[str, str], *, lists: Collection[str] = ()) -> bool:
    """Set widgets to the URL's query parameters, if these changed since the last run of the page.

    To be called outside of the fragment that draws the widgets. Widgets without a query parameter are reset
    to their defaults.

    Args:
        keys: query parameter → key of its widget.
        lists: query parameters whose widgets hold several values.

    Returns:
        Whether the query parameters were applied in this run.
    """
    link = {name: values for name in keys if (values := st.query_params.get_all(name))}
    last = st.session_state.get(_ADDRESS)
    if link == last:
        return False
    st.session_state[_ADDRESS] = st.session_state[_APPLIED] = link
    for name, key in keys.items():
        if name in link:
            values = [value for value in link[name] if value != NOTHING]
            st.session_state[key] = values if name in lists else link[name][-1]
        elif last is not None and key in st.session_state:
            del st.session_state[key]
    return True


def keep(chosen: Mapping[str, Sequence[str]]) -> None:
    """Write the state of the widgets into the URL; warn of values in the URL that are not available.

    Args:
        chosen: query parameter → values; omitted from the URL if there are none.
    """
    choice = {name: list(values) for name, values in chosen.items()}
    applied: Mapping[str, Sequence[str]] | None = st.session_state.pop(_APPLIED, None)
    if applied is not None:
        st.session_state[_HELD] = choice
        missing = [value for name, values in applied.items() for value in values if value not in choice[name]]
        if missing:
            st.warning(
                f"The link asks for {', '.join(text[:60] for text in missing)}, which is not available."
            )
    elif choice != st.session_state.get(_HELD):
        st.session_state[_HELD] = choice
        st.session_state[_ADDRESS] = {name: values for name, values in choice.items() if values}
        st.query_params.update(choice)
