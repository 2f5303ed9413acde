"""Case lists: films that a link names in an order, gone through one by one with the same settings."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Final

import streamlit as st

from cxrbench.app.compare import controls
from cxrbench.app.compare.options import choice_for_same
from cxrbench.app.services import own_radiographs, shipped_films
from cxrbench.app.services.compare_links import LISTED, MAX_LISTED
from cxrbench.app.services.radiographs import Source, case
from cxrbench.compare import gallery

__all__ = ["draw_bar", "entries", "film_parameter", "opened", "parameters"]

_ENTRIES: Final = "case_list"  # session state: the films of the open list, in order; empty without one
_LAST: Final = "case_list_last"  # session state: the film of the list that was shown last


def entries() -> tuple[str, ...]:
    """The films of the open list: ids of gallery cases and paths of shipped films; empty without one."""
    listed: tuple[str, ...] = st.session_state.get(_ENTRIES, ())
    return listed


def parameters() -> list[tuple[str, str]]:
    """Query parameters that restore the list; empty without one."""
    return [(LISTED, entry) for entry in entries()]


def film_parameter(entry: str) -> tuple[str, str]:
    """Query parameter and value that show a film of a list."""
    return ("case", entry) if entry in _case_ids() else (shipped_films.PARAMETER, entry)


def opened(
    link: Mapping[str, Sequence[str]], film_parameters: Collection[str]
) -> tuple[Mapping[str, Sequence[str]], list[str]]:
    """Open the list that a link names in place of the one before; a link without a list ends it.

    Args:
        link: query parameter → values.
        film_parameters: query parameters that name the film to show.

    Returns:
        The link, with the list's first film if it names none; and one sentence for what is left out.
    """
    named = tuple(dict.fromkeys(link.get(LISTED, ())))
    looked_at, left_out = named[:MAX_LISTED], named[MAX_LISTED:]
    known = tuple(text for text in looked_at if text in _case_ids() or shipped_films.exists(text))
    st.session_state[_ENTRIES] = known
    if known and not any(link.get(name) for name in film_parameters):
        name, value = film_parameter(known[0])
        link = {**link, name: [value]}
    problems = []
    if missing := [text for text in looked_at if text not in known]:
        problems.append(f"The case list asks for {_some(missing)}, not available here and skipped.")
    if left_out:
        problems.append(
            f"A case list holds at most {MAX_LISTED} films: the other {len(left_out)} are left out."
        )
    return link, problems


def draw_bar(shown: Source) -> None:
    """Draw the place in the list and the way to the films before and after; nothing without a list.

    Args:
        shown: the radiograph that is shown.
    """
    listed = entries()
    if not listed:
        return
    index = _index(shown)
    if index is not None:
        st.session_state[_LAST] = listed[index]
    place = f"Case {index + 1} of {len(listed)}" if index is not None else f"Not in the list of {len(listed)}"
    with st.container(horizontal=True, vertical_alignment="center", key="case_list"):
        # A status: what is read aloud after going on, while the keyboard stays on the button.
        st.html(f'<p role="status"><strong>{place}</strong> · {escape(shown.title)}</p>', width="content")
        if index is None:
            st.button(f"Back to case {_last_index() + 1}", key="list_back", on_click=_go, args=(0,))
        else:
            first, last = index == 0, index == len(listed) - 1
            # Arrows alone move the canvas's cross-hair, and letters are a screen reader's.
            st.button(
                "← Previous",
                key="list_previous",
                on_click=_go,
                args=(-1,),
                disabled=first,
                shortcut="Shift+Left",
            )
            st.button(
                "Next →", key="list_next", on_click=_go, args=(1,), disabled=last, shortcut="Shift+Right"
            )
        st.button("Leave the list", type="tertiary", key="list_leave", on_click=_leave)


def _go(step: int) -> None:
    """Show another film; the step counts from what the session shows now, so that quick clicks add up."""
    listed, shown = entries(), controls.source()
    index = _index(shown) if shown is not None else None
    if not listed or shown is None:
        return
    entry = listed[min(max((_last_index() if index is None else index) + step, 0), len(listed) - 1)]
    own_radiographs.forget_problems(controls.UPLOAD)
    film = case(entry) if entry in _case_ids() else shipped_films.radiograph(entry)
    choice = choice_for_same(film, controls.current_choice())
    if choice.case is not None:
        st.session_state["choice"] = choice
        controls.reset_widgets()
    else:
        controls.show_own(own_radiographs.keep(film), choice)


def _leave() -> None:
    st.session_state[_ENTRIES] = ()


def _index(shown: Source) -> int | None:
    """The place of a radiograph in the list; None for one that is not in it."""
    if shown.link is None or shown.link[1] not in entries():
        return None
    index = entries().index(shown.link[1])
    return index if film_parameter(entries()[index]) == shown.link else None


def _last_index() -> int:
    """The place of the film that was shown last; 0 if it is not in this list."""
    last = st.session_state.get(_LAST)
    return entries().index(last) if last in entries() else 0


def _case_ids() -> set[str]:
    return {entry.id for entry in gallery.cases()}


def _some(texts: Sequence[str]) -> str:
    """The first three of some names, each of at most 60 letters."""
    return ", ".join(f"{text[:60]!r}" for text in texts[:3]) + (" …" if len(texts) > 3 else "")
