"""Presenter view: larger type, labels in the pictures and no expert options, for a projector."""

from typing import Final

import streamlit as st

__all__ = ["PARAMETER", "PRESENTED", "address_parameters", "draw_switch", "presenting"]

PARAMETER: Final = "presenter"
PRESENTED: Final = ("compare", "learn", "quiz")  # pages with a presenter view
_STATE: Final = "presenting"  # session state: whether the presenter view is on
_SWITCH: Final = "presenter_switch"  # key of the switch, which other pages do not draw


def presenting() -> bool:
    """Whether the presenter view is on: as the address said that opened the session, until it is switched."""
    asked = st.query_params.get(PARAMETER, "").lower() not in ("", "0", "false", "no")
    on: bool = st.session_state.setdefault(_STATE, asked)
    return on


def address_parameters() -> dict[str, str]:
    """What the address holds of the presenter view, so that it can be a bookmark."""
    return {PARAMETER: "1"} if presenting() else {}


def draw_switch() -> None:
    """Draw the switch, and keep the address as it stands."""
    st.session_state[_SWITCH] = presenting()
    st.toggle(
        "Presenter view",
        key=_SWITCH,
        on_change=_take,
        width="content",
        help="For a projector: larger type, labels in the pictures, no expert options. It is in the address, "
        "so that it can be a bookmark.",
    )
    if presenting():
        st.query_params[PARAMETER] = "1"
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def _take() -> None:
    st.session_state[_STATE] = st.session_state[_SWITCH]
