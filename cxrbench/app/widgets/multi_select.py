"""Multi-select in a pop-over that shows how many are selected."""

from collections.abc import Mapping, Sequence

import streamlit as st

__all__ = ["some"]


def some(
    what: str,
    titles: Mapping[str, str],
    before: Sequence[str],
    key: str,
    *,
    needed: bool = True,
    about: str | None = None,
) -> tuple[str, ...]:
    """Draw it; the names picked, in the order of the titles, so that what is drawn of them keeps its place.

    Args:
        what: the word on the pop-over.
        titles: name → words, of all there are.
        before: names picked before the reader has had a say.
        key: of the pills.
        needed: the last name left cannot be put away.
        about: help on the pills.
    """
    kept = [name for name in st.session_state.get(key, before) or () if name in titles]
    start = [name for name in before if name in titles] or list(titles)[:1]
    st.session_state[key] = kept or (start if needed else [])
    with st.popover(f"{what}: {len(st.session_state[key])}", key=f"open_{key}"):
        st.pills(
            what,
            list(titles),
            selection_mode="multi",
            format_func=lambda name: titles.get(name, name),
            key=key,
            help=about,
        )
    picked = tuple(name for name in titles if name in st.session_state[key])
    # While models are loading there are no titles, and what was asked for stays asked for.
    return picked or (tuple(before) if needed else ())
