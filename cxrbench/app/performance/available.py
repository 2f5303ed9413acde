"""The predictions that the Performance page can show: uploaded files and stored predictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from cxrbench.app.performance import uploads
from cxrbench.app.performance.predictions import load_predictions, planted_shortcut, stored_predictions
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions

__all__ = ["AvailablePredictions", "available_predictions", "select_new_files"]


@dataclass(frozen=True)
class AvailablePredictions:
    """The predictions that can be selected, by name.

    Args:
        predictions: name → predictions, uploaded ones first.
        own: names of the uploaded predictions.
        shortcuts: names of models that were trained on a planted shortcut.
        problems: one message per file that cannot be read.
        notes: how files were read, and why models of this workbench are missing.
    """

    predictions: Mapping[str, Predictions]
    own: tuple[str, ...]
    shortcuts: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def available_predictions(data_set: str = "") -> AvailablePredictions:
    """Return the uploaded predictions, and the stored ones of the same images.

    Args:
        data_set: name of a data set of the user's; "" for what is stored with the models.
    """
    entries = stored_predictions(data_set)
    readable: dict[str, Predictions] = {}
    problems: list[str] = []
    for name, entry in entries.items():
        try:
            readable[name] = load_predictions(entry)
        except InputError as error:
            problems.append(str(error))
    own, upload_problems = uploads.upload_files(readable)
    notes: list[str] = []
    if own:
        readable, reason = uploads.join_stored(own, readable)
        notes = [*([reason] if reason else []), *uploads.notes(own.values())]
    shortcuts = [name for name, entry in entries.items() if name not in own and planted_shortcut(entry)]
    return AvailablePredictions(
        readable, tuple(own), tuple(shortcuts), (*problems, *upload_problems), tuple(notes)
    )


def select_new_files(available: AvailablePredictions) -> None:
    """Select files that were uploaded since the last run, in addition to the models selected before."""
    new = [name for name in available.own if name not in st.session_state.get("judge_own", ())]
    st.session_state["judge_own"] = available.own
    if new:
        stored_names = [name for name in available.predictions if name not in available.own]
        selected = st.session_state.get("judge_models") or stored_names[:1]
        st.session_state["judge_models"] = [*new, *selected]
