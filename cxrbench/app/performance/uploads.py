"""The user's own prediction files on the Performance page, beside the stored ones."""

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.performance.predictions import own_predictions
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, align, write_predictions
from cxrbench.writing import free_name

__all__ = ["joined", "notes", "open_files", "sample", "unlike"]

_SAMPLE: Final = 200  # images of each split in the sample


def open_files(stored: Mapping[str, Predictions]) -> tuple[dict[str, Predictions], list[str]]:
    """Draw the pop-over.

    Args:
        stored: predictions of the bench; the sample to download is cut from the first.

    Returns:
        The files that can be read, by a name of their own each; and a sentence about each of the others.
    """
    with st.popover("Your own predictions", icon=":material/upload:", on_change="rerun"):
        files = st.file_uploader(
            "CSV files, one per model",
            accept_multiple_files=True,
            key="own_predictions",
            max_upload_size=200,
            help="One row per image. For each finding a column with the truth (Edema: 1, 0 or nothing) and "
            "one with the score (score Edema: 0 to 1). Of path, patient, split, sex, age, view and "
            "projection any may be missing.",
        )
        if stored:
            st.download_button(
                "Sample file",
                lambda: sample(next(iter(stored.values()))),
                "sample-predictions.csv",
                "text/csv",
                on_click="ignore",
                icon=":material/download:",
                key="own_sample",
                help="Predictions of the bench's first model for some images, in the form that is read.",
            )
        st.caption(
            "They stay in the memory of this machine. Models are matched image by image by the column path: "
            "with the paths of the bench's own predictions they join its models, else they are shown alone. "
            "Remove them here to go back to the stored predictions."
        )
    found: dict[str, Predictions] = {}
    problems = []
    for name, file in zip(unlike([file.name[:80] for file in files or ()], stored), files or (), strict=True):
        try:
            found[name] = replace(own_predictions(file.getvalue(), name), name=name)
        except InputError as error:
            problems.append(str(error))
    return found, problems


def unlike(names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Names told apart from each other and from those that are taken, by a number behind the later ones."""
    given: list[str] = []
    for name in names:
        given.append(free_name(name, {*given, *taken}))
    return given


def joined(
    own: Mapping[str, Predictions], stored: Mapping[str, Predictions]
) -> tuple[dict[str, Predictions], str]:
    """The reader's files, and after them the stored predictions of the same images.

    Returns:
        Predictions by name, and a sentence why stored ones are not among them; "" where all are.
    """
    reasons: dict[str, str] = {}
    found = dict(own)
    for name, one in stored.items():
        problems = (_mismatch(mine, one) for mine in own.values())
        reason = next((problem for problem in problems if problem), "")
        if reason:
            reasons[one.name or name] = reason
        else:
            found[name] = one
    if not reasons:
        return found, ""
    who = "the models of this bench" if len(found) == len(own) else ", ".join(reasons)
    return found, f"Not shown beside your file: {who}. {next(iter(reasons.values()))}"


def notes(own: Iterable[Predictions]) -> list[str]:
    """What the reader should know of how a file was read: that it names no patients, first of all."""
    return [f"{one.name}: {note.removesuffix('.')}." for one in own for note in one.notes]


def sample(predictions: Predictions) -> bytes:
    """Some images of each split as the CSV that can be opened here."""
    splits = predictions.table["split"].to_numpy()
    rows = np.concatenate([np.flatnonzero(splits == name)[:_SAMPLE] for name in predictions.splits])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.csv"
        write_predictions(path, predictions.take(rows))
        return path.read_bytes()


def _mismatch(own: Predictions, stored: Predictions) -> str:
    """Why the two cannot be compared image by image; "" where they can."""
    if not (own.table["path"] != "").any():
        return f"{own.name} has no column path, by which images are matched."
    key = hashlib.sha256(own.table["path"].str.cat(sep="\n").encode() + own.targets.tobytes()).hexdigest()
    return _reason(f"{key} {own.labels}", stored.name, len(stored), own, stored)


@st.cache_data(max_entries=200, show_spinner=False)
def _reason(key: str, name: str, images: int, _own: Predictions, _stored: Predictions) -> str:
    try:
        align([_own, _stored])
    except InputError as error:
        return str(error)
    return ""
