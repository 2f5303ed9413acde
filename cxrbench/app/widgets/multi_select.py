"""Multi-select in a pop-over that shows how many are selected."""

from collections.abc import Mapping, Sequence

import streamlit as st

__all__ = ["multi_select"]


def multi_select(
    label: str,
    titles: Mapping[str, str],
    default: Sequence[str],
    key: str,
    *,
    popover_key: str = "",
    needed: bool = True,
    about: str | None = None,
    one: str = "",
) -> tuple[str, ...]:
    """Draw a multi-select and return the selected names, in the order of ``titles``.

    Args:
        label: label of the pop-over and of the pills.
        titles: name → title of every option.
        default: names that are selected initially.
        key: key of the pills.
        popover_key: key of the pop-over; default: made from that of the pills.
        needed: at least one name stays selected.
        about: help text of the pills.
        one: label of the pop-over while one is selected, before its title; default: the number is shown.
    """
    selected = [name for name in st.session_state.get(key, default) or () if name in titles]
    fallback = [name for name in default if name in titles] or list(titles)[:1]
    st.session_state[key] = selected or (fallback if needed else [])
    chosen = st.session_state[key]
    named = f"{one}: {titles[chosen[0]]}" if one and len(chosen) == 1 else f"{label}: {len(chosen)}"
    with st.popover(named, key=popover_key or f"open_{key}"):
        st.pills(
            label,
            list(titles),
            selection_mode="multi",
            format_func=lambda name: titles.get(name, name),
            key=key,
            help=about,
        )
    names = tuple(name for name in titles if name in st.session_state[key])
    # While models are loading there are no titles: keep the default.
    return names or (tuple(default) if needed else ())
