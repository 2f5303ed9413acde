"""What Compare shares: the link to what is on screen, or to a list of cases, with its QR code."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from cxrbench.app.compare import case_list
from cxrbench.app.compare.options import default_choice
from cxrbench.app.compare.selection import Choice, query_parameters
from cxrbench.app.services import shipped_films
from cxrbench.app.services.compare_links import LISTED, MAX_LISTED
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets.share import draw_link, share_popover
from cxrbench.compare import gallery

__all__ = ["draw", "is_open"]

_OPEN: Final = "open_share"  # key of the pop-over: whether it is open
_PICKED: Final = "share_list"  # key of the choice of cases, which is drawn while the pop-over is open
_KEPT: Final = "share_list_kept"  # session state: the open list, and the cases that were chosen meanwhile


def is_open() -> bool:
    """Whether the link is on screen in this run."""
    return bool(st.session_state.get(_OPEN))


def draw(link: Sequence[tuple[str, str]], view: str, choice: Choice, shown: Source) -> None:
    """Draw the button that opens the link with its QR code, and a choice of cases to link to instead.

    Args:
        link: query parameters of what is on screen.
        view: how it is drawn, as the canvas writes it; "" if nothing was changed there.
        choice: what is on screen.
        shown: its radiograph.
    """
    share_popover(lambda: _draw_link(link, [("view", view)] if view else [], choice, shown), key=_OPEN)


def _draw_link(
    link: Sequence[tuple[str, str]], drawn: Sequence[tuple[str, str]], choice: Choice, shown: Source
) -> None:
    cases = _pick_cases(shown)
    if len(cases) < 2 or cases == case_list.entries():
        what = "the case list at this radiograph," if case_list.entries() else "this radiograph"
        draw_link(
            [*link, *drawn], f"Opens {what} with these models, methods and findings, drawn as it is now."
        )
        return
    settings = query_parameters(replace(choice, case=None, edits=()), default_choice())
    about = (
        f"Opens the first of {len(cases)} cases with these models, methods and findings. A bar above leads "
        "through them."
    )
    draw_link([*((LISTED, entry) for entry in cases), *settings, *drawn], about)


def _pick_cases(shown: Source) -> tuple[str, ...]:
    """Draw the choice of cases, and return them in the order in which they were chosen."""
    listed, titles = case_list.entries(), {entry.id: entry.title for entry in gallery.cases()}
    begun_at, kept = st.session_state.get(_KEPT, ((), ()))
    if begun_at != listed:
        kept = listed
    if shown.link is not None and shown.link[0] == shipped_films.PARAMETER:
        titles[shown.link[1]] = shown.title
    # Set at every run: a browser that was too busy to draw the first run would show none.
    st.session_state[_PICKED] = list(st.session_state.get(_PICKED, kept))
    chosen = st.multiselect(
        "Case list",
        list(dict.fromkeys([*titles, *listed, *kept])),
        format_func=lambda entry: titles.get(entry, entry),
        key=_PICKED,
        max_selections=MAX_LISTED,
        placeholder="None: the link is to what is on screen",
        help="Two or more cases make this the link of a case list, in the order in which you choose them.",
    )
    st.session_state[_KEPT] = (listed, tuple(chosen))
    return tuple(chosen)
