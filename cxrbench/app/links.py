"""The address of the page: read when the page is opened, kept up to date while it is used."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cxrbench.app.choice import Choice, pairs
from cxrbench.app.known import from_link, start

__all__ = ["follow_link", "follow_widgets", "keep_link", "keep_widgets"]


def follow_link() -> None:
    """Take over what the address asks for, once; what cannot be had is said."""
    link = {name: st.query_params.get_all(name) for name in st.query_params}
    link.pop("view", None)  # how the maps are drawn: read in the browser
    if not link or link == st.session_state.get("link"):
        return
    st.session_state["link"] = link
    choice, problems = from_link(link)
    st.session_state["choice"] = choice
    for key in [str(key) for key in st.session_state if str(key).startswith("pick_")]:
        del st.session_state[key]
    st.session_state["link_problems"] = problems


def keep_link(choice: Choice) -> list[tuple[str, str]] | None:
    """Write the choice into the address.

    Returns:
        Its query parameters; None for an uploaded image, which no link can bring back.
    """
    found = pairs(choice, start()) if choice.case is not None else None
    link: dict[str, list[str]] = {}
    for name, value in found or ():
        link.setdefault(name, []).append(value)
    if link != st.session_state.get("link"):
        st.session_state["link"] = link
        view = st.query_params.get_all("view")
        st.query_params.from_dict({**link, **({"view": view} if view else {})})
    return found


def follow_widgets(keys: Mapping[str, str], *, lists: Sequence[str] = ()) -> dict[str, list[str]]:
    """Set widgets to what the address asks for, once; they themselves pass over what they do not offer.

    Args:
        keys: query parameter → key of its widget.
        lists: parameters whose widgets hold several values.

    Returns:
        What the address asks for, if it was followed now; nothing later.
    """
    link = {name: st.query_params.get_all(name) for name in keys if name in st.query_params}
    if not link or link == st.session_state.get("widget_link"):
        return {}
    st.session_state["widget_link"] = link
    for name, values in link.items():
        st.session_state[keys[name]] = values if name in lists else values[-1]
    return link


def keep_widgets(chosen: Mapping[str, Sequence[str]], asked: Mapping[str, Sequence[str]]) -> None:
    """Write into the address what was chosen; a sentence about what was asked for and cannot be had.

    Args:
        chosen: query parameter → its values.
        asked: what ``follow_widgets`` returned.
    """
    missing = [value for name, values in asked.items() for value in values if value not in chosen[name]]
    if missing:
        st.warning(f"The link asks for {', '.join(text[:60] for text in missing)}, which is not here.")
    link = {name: list(values) for name, values in chosen.items() if values}
    if link == st.session_state.get("widget_link"):
        return
    st.session_state["widget_link"] = link
    for name in chosen:
        if name in link:
            st.query_params[name] = link[name]
        elif name in st.query_params:
            del st.query_params[name]
