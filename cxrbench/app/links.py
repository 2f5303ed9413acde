"""The address of the page: read when the page is opened, kept up to date while it is used."""

import streamlit as st

from cxrbench.app.choice import Choice, pairs
from cxrbench.app.known import from_link, start

__all__ = ["follow_link", "keep_link"]


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
