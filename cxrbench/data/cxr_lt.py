"""The long-tailed label tables of CXR-LT (Holste et al. 2022, arXiv:2208.13365; 2024, arXiv:2310.16112)."""

from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from cxrbench.data.studies import Studies, once_per_path
from cxrbench.data.tables import find_column, label_column, left_out, read_csv, table_name, text_column
from cxrbench.errors import InputError

__all__ = ["read_cxr_lt"]

# Meaning of a column → its names in the tables on MIMIC-CXR-JPG's images, and in those on NIH's.
_COLUMNS: Final = {
    "image": ("dicom_id", "id"),
    "patient": ("subject_id", "subj_id"),
    "study": ("study_id",),
    "path": ("fpath", "path"),
    "view": ("viewposition",),
}
_LATERAL: Final = ("LATERAL", "LL", "RL")


def read_cxr_lt(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read a table of CXR-LT: one row per image, and one column of 0 and 1 per finding.

    Both kinds: on MIMIC-CXR-JPG's images (``dicom_id``, ``subject_id``, ``study_id``) and on those of NIH
    ChestX-ray14 (``id``, ``subj_id``). Every other column that holds only 1, 0, −1 and blanks is a label;
    the rest are metadata.

    Args:
        source: the CSV file.
        root: the folder of the images; without one ``path`` is that of the table, or the image's name.

    Raises:
        InputError: no CSV, no column of images or patients, or no column of labels.
    """
    name = table_name(source)
    raw = read_csv(source)
    known = {meaning: find_column(raw, names, name) for meaning, names in _COLUMNS.items()}
    if known["image"] is None or known["patient"] is None:
        raise InputError(
            f"{name}: expected the columns 'dicom_id' and 'subject_id', or 'id' and 'subj_id', got "
            f"{', '.join(raw.columns[:6])}; give a label table of CXR-LT."
        )
    targets, others = _labels(raw.drop(columns=[column for column in known.values() if column]), name)
    if not targets:
        raise InputError(
            f"{name}: expected one column of 0 and 1 per finding, got none beside "
            f"{', '.join(raw.columns[:6])}; give a label table of CXR-LT."
        )
    image, patient, study = (text_column(raw, known[key]) for key in ("image", "patient", "study"))
    position = text_column(raw, known["view"]).str.upper()
    lateral = position.isin(_LATERAL)
    table = pd.DataFrame(
        {
            "path": _paths(text_column(raw, known["path"]), image, patient, study, root),
            "patient": patient,
            "study": patient + "/" + study.where(study != "", image),
            "view": np.where(lateral, "lateral", "frontal"),
            "projection": np.where(position.isin(("AP", "PA")), position, ""),
            "sex": "",
            "age": np.nan,
            **targets,
        }
    )
    note = left_out(others, "since their values are not 1, 0 and -1")
    studies = Studies(table, tuple(targets), "CXR-LT", (f"{name}: {note}",) if note else ())
    return once_per_path(studies, name)


def _labels(raw: pd.DataFrame, name: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Label → targets (N,), of the columns that hold labels; and the names of the others."""
    targets, others = {}, []
    for column in raw.columns:
        try:
            targets[column] = label_column(raw[column], name)
        except InputError:
            others.append(column)
    return targets, others


def _paths(
    given: pd.Series, image: pd.Series, patient: pd.Series, study: pd.Series, root: Path | str | None
) -> pd.Series:
    """Paths of the images: as in the table, or where MIMIC-CXR-JPG or NIH keeps them, below ``root``."""
    if (given != "").all():
        relative = given
    elif (study != "").all():
        relative = "files/p" + patient.str[:2] + "/p" + patient + "/s" + study + "/" + image + ".jpg"
    else:
        relative = "images/" + image
    if root is None:
        return relative if (given != "").all() else image
    return Path(root).absolute().as_posix() + "/" + relative
