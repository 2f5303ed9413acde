"""CheXpert's label files (Irvin et al. 2019, arXiv:1901.07031), in all published forms."""

from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute

from cxrbench.data.chexpert_paths import images_of_studies, resolve
from cxrbench.data.studies import Studies, once_per_path
from cxrbench.data.tables import (
    find_column,
    label_column,
    label_columns,
    left_out,
    number_column,
    read_csv,
    table_name,
    text_column,
    translated,
)
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT

__all__ = ["read_chexpert"]

_SEX = {"male": "M", "m": "M", "female": "F", "f": "F"}
_VIEW = {"frontal": "frontal", "lateral": "lateral"}

# Meaning of a column → its names in CheXpert and in CheXpert Plus (Chambon et al. 2024, arXiv:2405.19538).
_COLUMNS: Final = {
    "path": ("path", "path_to_image"),
    "study": ("study",),
    "sex": ("sex",),
    "age": ("age",),
    "view": ("frontal/lateral", "frontal_lateral"),
    "projection": ("ap/pa", "ap_pa"),
}
# Columns of CheXpert Plus, and of the phantom's truth.csv and twins.csv, that are no labels: no note on them.
_OTHER_COLUMNS: Final = frozenset(
    {
        *("path_to_dcm", "deid_patient_id", "patient_report_date_order", "report", "race", "ethnicity"),
        *("interpreter_needed", "insurance_type", "recent_bmi", "deceased", "split", "boxes"),
        *("twin of", "removed", "absent", "change inside", "change outside"),
    }
)
_OTHER_PREFIXES: Final = ("section_", "severity ", "shortcut ")
_PROBES: Final = 16


def read_chexpert(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read a CheXpert label file, row by row: nothing is aggregated; −1 and blanks are kept.

    Train, valid and test files, original and small, with labels in any spelling, with or without the
    demographic columns; the test set's ground truth by study (column ``Study``), whose labels go to every
    image in the study's folder; CheXpert Plus's labels in JSON lines. An age of 0 (three rows) is kept.
    Columns of other names are left out and listed in ``notes``; an image that occurs twice with the same
    labels is counted once, which ``notes`` mentions.

    Args:
        source: the CSV or JSON file.
        root: the folder in which the images are searched; by default the CSV's own, then its parent. Leading
            parts of the file's paths ("CheXpert-v1.0-small/train/…") that are not in the folder are dropped.

    Returns:
        The studies; those labels of `cxrbench.labels.CHEXPERT` that the file has, in that order.

    Raises:
        InputError: no CSV, no ``Path`` or no label column, a path without a patient, an unknown label value,
            or an image that occurs twice with different labels.
    """
    name = table_name(source)
    raw = read_csv(source)
    columns = _label_columns(raw, name)
    known = {meaning: find_column(raw, names, name) for meaning, names in _COLUMNS.items()}
    notes = _notes(raw, {*columns.values(), *known.values()}, name)
    raw, path = _with_images(raw, known, source, root, name)
    paths = text_column(raw, path)
    # A program writes all paths in one style; any others name no patient and are refused below.
    if paths.iloc[:: max(1, len(paths) // _PROBES)].str.contains("\\", regex=False).any():
        paths = paths.str.replace("\\", "/")
    parts = _named_parts(paths, name)
    view = text_column(raw, known["view"], _VIEW)
    table = pd.DataFrame(
        {
            "path": resolve(paths, source, root),
            "patient": parts["patient"].astype("str"),
            "study": (parts["patient"] + "/" + parts["study"].fillna("")).astype("str"),
            "view": view.where(view != "", translated(parts["view"], _VIEW)),
            "projection": text_column(raw, known["projection"]),
            "sex": text_column(raw, known["sex"], _SEX),
            "age": number_column(raw, known["age"]),
            **{label: label_column(raw[column], name) for label, column in columns.items()},
        }
    )
    return once_per_path(Studies(table, tuple(columns), "CheXpert", notes), name)


def _with_images(
    raw: pd.DataFrame,
    known: dict[str, str | None],
    source: Path | str | IO[bytes],
    root: Path | str | None,
    name: str,
) -> tuple[pd.DataFrame, str]:
    """The table with one row per image, and the column of the images' paths."""
    if known["path"]:
        return raw, known["path"]
    if known["study"]:
        return images_of_studies(raw, known["study"], source, root, name), known["study"]
    raise InputError(
        f"{name}: expected a column 'Path' with one image per row, got the columns "
        f"{', '.join(raw.columns[:6])}; give CheXpert's own label file."
    )


def _named_parts(paths: pd.Series, name: str) -> pd.DataFrame:
    """Patient, study and view of each path; every path must name a patient."""
    parts = _parts(paths)
    if parts["patient"].isna().any():
        row = int(np.argmax(parts["patient"].isna()))
        raise InputError(
            f"{name}: expected paths like 'train/patient00001/study1/view1_frontal.jpg', got "
            f"{paths.iloc[row]!r} in row {row + 1}; without a patient the images cannot be split safely."
        )
    return parts


def _parts(paths: pd.Series) -> pd.DataFrame:
    """Patient, study and view of each path; missing where it names none."""
    column = pa.chunked_array(pa.array(paths, pa.string()))
    folders = compute.split_pattern(column, "/")
    depth = compute.min_max(compute.list_value_length(folders)).as_py()
    if depth["min"] == depth["max"] and depth["min"] >= 3:
        ends = [compute.list_element(folders, depth["min"] - back) for back in (3, 2, 1)]
        patient, study, file = (end.combine_chunks().dictionary_encode() for end in ends)
        ordinary = compute.match_substring_regex(patient.dictionary, r"^patient\d+$")
        ordinary = (
            compute.all(ordinary).as_py() and study.dictionary.to_pandas().str.match(r"study\d+$").all()
        )
        if ordinary:  # file and study names repeat: each distinct one is parsed once
            named = file.dictionary.to_pandas().str.extract(r"^view\d+_([a-z]+)")[0]
            view = pa.DictionaryArray.from_arrays(file.indices, pa.array(named)).cast(pa.string())
            texts = {"patient": ends[0].to_pandas(), "study": ends[1].to_pandas(), "view": view.to_pandas()}
            return pd.DataFrame(texts).set_axis(paths.index)
    return paths.str.extract(
        r"(?P<patient>patient\d+)/(?:(?P<study>study\d+)/)?(?:view\d+_(?P<view>[a-z]+))?"
    )


def _label_columns(raw: pd.DataFrame, name: str) -> dict[str, str]:
    """Label → its column in the file, in CheXpert's order."""
    columns = label_columns(list(raw.columns), CHEXPERT, name)
    if not columns:
        plus = " CheXpert Plus keeps its labels in JSON files of their own; give one of those."
        raise InputError(
            f"{name}: expected a CSV with CheXpert's label columns ({', '.join(CHEXPERT)}), got the columns "
            f"{', '.join(raw.columns[:6])}; give a file with at least one of them."
            f"{plus if 'path_to_image' in raw else ''}"
        )
    return columns


def _notes(raw: pd.DataFrame, read: set[str | None], name: str) -> tuple[str, ...]:
    """A note on the columns that were not read."""
    others = [
        column
        for column in raw.columns
        if column not in read
        and column.casefold() not in _OTHER_COLUMNS
        and not column.casefold().startswith(_OTHER_PREFIXES)
    ]
    note = left_out(others, "since CheXpert has no finding of that name")
    return (f"{name}: {note}",) if note else ()
