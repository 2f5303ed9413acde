"""Uploaded prediction files on the Performance page, in addition to the stored ones."""

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.performance.predictions import uploaded_predictions
from cxrbench.app.services.uploads import file_uploader
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, align, write_predictions
from cxrbench.writing import free_name

__all__ = ["join_stored", "notes", "sample_csv", "unique_names", "upload_files"]

_SAMPLE_SIZE: Final = 200  # images per split in the sample file


def upload_files(stored: Mapping[str, Predictions]) -> tuple[dict[str, Predictions], list[str]]:
    """Draw the pop-over with the uploader.

    Args:
        stored: predictions of this workbench; the sample file holds images of the first.

    Returns:
        Predictions of the readable files by unique name, and one message per invalid file.
    """
    with st.popover("Your own predictions", icon=":material/upload:", on_change="rerun"):
        files = file_uploader(
            "CSV files, one per model",
            accept_multiple_files=True,
            key="own_predictions",
            max_upload_size=200,
            help="One row per image. Per finding, a column with the ground truth (Edema: 1, 0 or empty) and "
            "one with the score (score Edema: 0 to 1). Optional columns: path, patient, split, sex, age, "
            "view, projection.",
        )
        if stored:
            st.download_button(
                "Sample file",
                lambda: sample_csv(next(iter(stored.values()))),
                "sample-predictions.csv",
                "text/csv",
                on_click="ignore",
                icon=":material/download:",
                key="own_sample",
                help="Predictions of this workbench's first model for some images, in the expected format.",
            )
        st.caption(
            "Files stay in the memory of the server. Images are matched by the column path: with the paths "
            "of the stored predictions, your model is compared with this workbench's models, otherwise it is "
            "evaluated alone. Remove the file to return to the stored predictions."
        )
    readable: dict[str, Predictions] = {}
    problems = []
    for name, file in zip(
        unique_names([file.name[:80] for file in files or ()], stored), files or (), strict=True
    ):
        try:
            readable[name] = replace(uploaded_predictions(file.getvalue(), name), name=name)
        except InputError as error:
            problems.append(str(error))
    return readable, problems


def unique_names(names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Return names that differ from each other and from ``taken``; repeated names get a number."""
    unique: list[str] = []
    for name in names:
        unique.append(free_name(name, {*unique, *taken}))
    return unique


def join_stored(
    own: Mapping[str, Predictions], stored: Mapping[str, Predictions]
) -> tuple[dict[str, Predictions], str]:
    """Return the uploaded predictions, followed by the stored ones of the same images.

    Returns:
        Predictions by name; and a message why stored ones are missing, "" if none is.
    """
    reasons: dict[str, str] = {}
    comparable = dict(own)
    for name, entry in stored.items():
        problems = (_mismatch(upload, entry) for upload in own.values())
        reason = next((problem for problem in problems if problem), "")
        if reason:
            reasons[entry.name or name] = reason
        else:
            comparable[name] = entry
    if not reasons:
        return comparable, ""
    left_out = "the models of this workbench" if len(comparable) == len(own) else ", ".join(reasons)
    return comparable, f"Not compared with your file: {left_out}. {next(iter(reasons.values()))}"


def notes(own: Iterable[Predictions]) -> list[str]:
    """Return notes on how the files were read, for example that they name no patients."""
    return [f"{upload.name}: {note.removesuffix('.')}." for upload in own for note in upload.notes]


def sample_csv(predictions: Predictions) -> bytes:
    """Return the predictions of some images per split as a CSV file in the expected format."""
    splits = predictions.table["split"].to_numpy()
    rows = np.concatenate([np.flatnonzero(splits == name)[:_SAMPLE_SIZE] for name in predictions.splits])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.csv"
        write_predictions(path, predictions.take(rows))
        return path.read_bytes()


def _mismatch(own: Predictions, stored: Predictions) -> str:
    """Return why two predictions cannot be compared image by image; "" if they can."""
    if not (own.table["path"] != "").any():
        return f"{own.name} has no column path, which is needed to match images."
    key = hashlib.sha256(own.table["path"].str.cat(sep="\n").encode() + own.targets.tobytes()).hexdigest()
    return _reason(f"{key} {own.labels}", stored.name, len(stored), own, stored)


@st.cache_data(max_entries=200, show_spinner=False)
def _reason(key: str, name: str, images: int, _own: Predictions, _stored: Predictions) -> str:
    try:
        align([_own, _stored])
    except InputError as error:
        return str(error)
    return ""
