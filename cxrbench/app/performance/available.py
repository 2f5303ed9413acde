"""The prediction sets that the Performance page can show: the user's own, and stored ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from cxrbench.app.performance import uploads
from cxrbench.app.performance.predictions import planted_shortcut, predictions, stored
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions

__all__ = ["Given", "given_predictions", "show_new"]


@dataclass(frozen=True)
class Given:
    """The predictions that can be chosen, by name.

    Args:
        predictions: the reader's own first.
        own: names of the reader's own.
        shortcuts: names of models that were trained on a planted shortcut.
        problems: a sentence about each file that cannot be read.
        notes: sentences about how files were read, and why models of the bench are missing.
    """

    predictions: Mapping[str, Predictions]
    own: tuple[str, ...]
    shortcuts: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def given_predictions() -> Given:
    """The reader's own predictions, and the stored ones of the same images."""
    entries = stored()
    found: dict[str, Predictions] = {}
    problems: list[str] = []
    for name, entry in entries.items():
        try:
            found[name] = predictions(entry)
        except InputError as error:
            problems.append(str(error))
    own, unread = uploads.open_files(found)
    notes: list[str] = []
    if own:
        found, reason = uploads.joined(own, found)
        notes = [*([reason] if reason else []), *uploads.notes(own.values())]
    shortcuts = [name for name, entry in entries.items() if name not in own and planted_shortcut(entry)]
    return Given(found, tuple(own), tuple(shortcuts), (*problems, *unread), tuple(notes))


def show_new(given: Given) -> None:
    """Choose files that were opened since the last run, beside the models chosen before."""
    new = [name for name in given.own if name not in st.session_state.get("judge_own", ())]
    st.session_state["judge_own"] = given.own
    if new:
        stored_names = [name for name in given.predictions if name not in given.own]
        before = st.session_state.get("judge_models") or stored_names[:1]
        st.session_state["judge_models"] = [*new, *before]
