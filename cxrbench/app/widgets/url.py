"""Keeps a page's widgets and its URL in step, in both directions.

Streamlit adds an entry to the browser's history for every message that changes the address. So a page writes
its whole choice in one message, and only when the reader changed it: each entry is then a state of the page,
and Back and Forward, which bring an address without a click on a widget, set the widgets to it.

A browser sends its address with every message, and that address is out of date while the answer that changes
it is under way: a click that follows quickly on another one brings the address from before both. So a page
draws its widgets in a fragment, where clicks bring about runs of the fragment alone, and follows the address
outside of it: in runs of the whole page, which is what opening it, Back and Forward bring about.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import streamlit as st

__all__ = ["NOTHING", "follow", "keep"]

NOTHING: Final = "none"

_ADDRESS: Final = "address"  # session state: the parameters at the last run
_ASKED: Final = "address_asked"  # session state: what the address asked for, until the widgets are drawn
_HELD: Final = "address_choice"  # session state: the choice that this address stands for


def follow(keys: Mapping[str, str], *, lists: Collection[str] = ()) -> bool:
    """Set widgets to what the address asks for, if it is another one than at the last run of the page.

    To be called outside of the fragment that draws the widgets. Those that the address does not mention go
    back to what the page opens with.

    Args:
        keys: query parameter → key of its widget.
        lists: parameters whose widgets hold several values.

    Returns:
        Whether the address is followed in this run.
    """
    link = {name: values for name in keys if (values := st.query_params.get_all(name))}
    last = st.session_state.get(_ADDRESS)
    if link == last:
        return False
    st.session_state[_ADDRESS] = st.session_state[_ASKED] = link
    for name, key in keys.items():
        if name in link:
            values = [value for value in link[name] if value != NOTHING]
            st.session_state[key] = values if name in lists else link[name][-1]
        elif last is not None and key in st.session_state:
            del st.session_state[key]
    return True


def keep(chosen: Mapping[str, Sequence[str]]) -> None:
    """Write what the reader chose into the address; say what the address asks for and cannot be had.

    Args:
        chosen: query parameter → its values; without values it is left out of the address.
    """
    choice = {name: list(values) for name, values in chosen.items()}
    asked: Mapping[str, Sequence[str]] | None = st.session_state.pop(_ASKED, None)
    if asked is not None:
        st.session_state[_HELD] = choice
        missing = [value for name, values in asked.items() for value in values if value not in choice[name]]
        if missing:
            st.warning(
                f"The link asks for {', '.join(text[:60] for text in missing)}, which is not available."
            )
    elif choice != st.session_state.get(_HELD):
        st.session_state[_HELD] = choice
        st.session_state[_ADDRESS] = {name: values for name, values in choice.items() if values}
        st.query_params.update(choice)
