"""Keeps a page's widgets and its URL in step, in both directions.

Streamlit adds an entry to the browser's history for every message that changes the address. So a page writes
its whole choice in one message, and only when the reader changed it: each entry is then a state of the page,
and Back and Forward, which bring an address without a click on a widget, set the widgets to it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import streamlit as st

__all__ = ["NOTHING", "follow", "keep"]

NOTHING: Final = "none"

_ADDRESS: Final = "address"  # session state: the parameters at the last run
_HELD: Final = "address_choice"  # session state: the choice that this address stands for


def follow(keys: Mapping[str, str], *, lists: Collection[str] = ()) -> dict[str, list[str]] | None:
    """Set widgets to what the address asks for, if it is another one than at the last run.

    Widgets that the address does not mention go back to what the page opens with.

    Args:
        keys: query parameter → key of its widget.
        lists: parameters whose widgets hold several values.

    Returns:
        What the address asks for if it was followed in this run, else None.
    """
    link = {name: values for name in keys if (values := st.query_params.get_all(name))}
    last = st.session_state.get(_ADDRESS)
    if link == last:
        return None
    st.session_state[_ADDRESS] = link
    for name, key in keys.items():
        if name in link:
            values = [value for value in link[name] if value != NOTHING]
            st.session_state[key] = values if name in lists else link[name][-1]
        elif last is not None and key in st.session_state:
            del st.session_state[key]
    return link


def keep(chosen: Mapping[str, Sequence[str]], asked: Mapping[str, Sequence[str]] | None) -> None:
    """Write what the reader chose into the address; say what the address asks for and cannot be had.

    Args:
        chosen: query parameter → its values; without values it is left out of the address.
        asked: what `follow` returned.
    """
    choice = {name: list(values) for name, values in chosen.items()}
    if asked is not None:
        st.session_state[_HELD] = choice
        missing = [value for name, values in asked.items() for value in values if value not in choice[name]]
        if missing:
            st.warning(f"The link asks for {', '.join(text[:60] for text in missing)}, which is not here.")
    elif choice != st.session_state.get(_HELD):
        st.session_state[_HELD] = choice
        st.session_state[_ADDRESS] = {name: values for name, values in choice.items() if values}
        st.query_params.update(choice)
