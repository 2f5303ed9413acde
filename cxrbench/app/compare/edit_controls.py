"""The controls that edit a phantom's film: parts to take away, severity, another place, undo."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from cxrbench.app.compare import controls
from cxrbench.app.compare.selection import MAX_EDITS
from cxrbench.app.widgets.versions import current_key, renew
from cxrbench.data.phantom import Edit, EditedFilm, FilmsWithout, part_title

__all__ = ["draw_edit_controls", "edit_words"]

_AWAY: Final = "pick_away"
_PART: Final = "pick_edited"
_SEVERITY: Final = "pick_severity"
_FAINTEST: Final = 0.01  # lower end of the slider; 0 would be to take it away


def draw_edit_controls(films: FilmsWithout, edited: EditedFilm | None, finding: str) -> None:
    """Draw the controls; each changes the edits of the session's choice.

    Args:
        films: those that the radiograph turns into.
        edited: the film after the edits; None before the first.
        finding: in view: the one that is changed unless another is picked.
    """
    edits = controls.current_choice().edits
    now = edited.films if edited is not None else films
    away = [part for part in films.removable if Edit(part) in edits]
    key = current_key(_AWAY)
    st.session_state[key] = away
    st.pills(
        "Take away",
        [part for part in films.removable if part in away or part in now.removable],
        selection_mode="multi",
        format_func=part_title,
        key=key,
        on_change=_take_away,
        args=(key,),
        help="Findings, markers, devices and healthy parts of this film. Pick one again to put it back.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="edit_controls"):
        if now.severity:
            _draw_changes(films, now, finding, edits)
        for label, count, icon in (("Undo", 1, "undo"), ("Undo all", len(edits), "restart_alt")):
            st.button(
                label,
                key=f"edit {label}",
                icon=f":material/{icon}:",
                on_click=_undo,
                args=(count,),
                disabled=not edits,
            )
    if edits:
        st.caption(f"Edits: {' · '.join(edit_words(edit) for edit in edits)}")


def edit_words(edit: Edit) -> str:
    """An edit in words."""
    if edit.severity is not None:
        return f"{edit.part} of severity {edit.severity:.2f}"
    return f"without {part_title(edit.part)}" if edit.place is None else f"{edit.part} elsewhere"


def _draw_changes(films: FilmsWithout, now: FilmsWithout, finding: str, edits: Sequence[Edit]) -> None:
    """Draw which finding is changed, its severity, and the button that moves it."""
    names = list(now.severity)
    key = current_key(_PART)
    if st.session_state.get(key) not in names:
        st.session_state[key] = finding if finding in names else names[0]
    part = st.selectbox("Change", names, key=key, width=230) or names[0]
    severity_key = current_key(f"{_SEVERITY} {part}")
    st.session_state[severity_key] = max(_FAINTEST, round(now.severity[part], 2))
    st.slider(
        "Severity",
        _FAINTEST,
        1.0,
        step=0.01,
        key=severity_key,
        width=230,
        on_change=_set_severity,
        args=(severity_key, part),
        help=f"{films.severity[part]:.2f} on the film as it is. At 0.1 a careful reader may miss it, at 1 "
        "nobody does.",
    )
    movable = part in now.movable
    st.button(
        "Move elsewhere",
        key="edit move",
        icon=":material/open_with:",
        on_click=_move,
        args=(films, part, tuple(edits)),
        disabled=not movable,
        help="Draws another place for it in the same patient."
        if movable
        else f"{part} has one place only on this film.",
    )


def _take_away(key: str) -> None:
    if key != current_key(_AWAY):
        return
    picked = set(st.session_state[key])
    edits = controls.current_choice().edits
    removed = {edit.part for edit in edits if edit == Edit(edit.part)}
    kept = [edit for edit in edits if edit != Edit(edit.part) or edit.part in picked]
    _set_edits([*kept, *(Edit(part) for part in picked - removed)])


def _set_severity(key: str, part: str) -> None:
    # Gone where the run that was to draw the slider again was interrupted: there is no value to take.
    if key in st.session_state:
        _set_edits([*controls.current_choice().edits, Edit(part, severity=st.session_state[key])])


def _move(films: FilmsWithout, part: str, edits: Sequence[Edit]) -> None:
    _set_edits([*controls.current_choice().edits, films.elsewhere(part, edits)])


def _undo(count: int) -> None:
    edits = controls.current_choice().edits
    renew(_AWAY)
    _set_edits(edits[: len(edits) - count])


def _set_edits(edits: Sequence[Edit]) -> None:
    kept = list(edits)
    while len(kept) > MAX_EDITS:
        kept.pop(_superseded(kept))
    st.session_state["choice"] = replace(controls.current_choice(), edits=tuple(kept))


def _superseded(edits: Sequence[Edit]) -> int:
    """Place of the oldest edit that a later one of the same kind and part replaces; 0 if none does."""
    kinds = [(edit.part, edit.severity is None, edit.place is None) for edit in edits]
    return next((place for place, kind in enumerate(kinds) if kind in kinds[place + 1 :]), 0)
