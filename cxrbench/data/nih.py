"""NIH ChestX-ray14 (Wang et al. 2017, arXiv:1705.02315): label table and boxes."""

from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from cxrbench.data.studies import Studies, once_per_path
from cxrbench.data.tables import number_column, read_csv, table_name, text_column
from cxrbench.errors import InputError
from cxrbench.labels import NIH, finding_key

__all__ = ["read_nih", "read_nih_boxes"]

# The published file holds ages such as 414, which are typing errors.
_OLDEST = 120

_SEX = {"m": "M", "f": "F"}
_NOTHING = "No Finding"
_BY_KEY = {finding_key(finding): finding for finding in (*NIH, _NOTHING)}


def read_nih(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read ``Data_Entry_2017.csv`` or ``Data_Entry_2017_v2020.csv``.

    The labels were mined from reports: a finding that is not named counts as absent, so targets are 1 and 0
    only. Both files' headers are read ("Patient Gender" or "Patient Sex"; ages as 58 or "058Y"); ages above
    120 are NaN.

    Args:
        source: the CSV file.
        root: the folder of the images; by default the CSV's own. They may be in it, in ``images``, or in the
            twelve published folders ``images_001/images`` to ``images_012/images``.

    Returns:
        The studies; labels in the order of `cxrbench.labels.NIH`, all views frontal.

    Raises:
        InputError: no CSV, a column missing, a finding this data set does not have, or an image that occurs
            twice with different findings.
    """
    name = table_name(source)
    raw = read_csv(source)
    missing = {"Image Index", "Finding Labels", "Patient ID"} - set(raw.columns)
    if missing:
        raise InputError(
            f"{name}: expected the columns 'Image Index', 'Finding Labels' and 'Patient ID', "
            f"got none named {', '.join(sorted(missing))}; give NIH's Data_Entry file."
        )
    files = text_column(raw, "Image Index")
    patient = text_column(raw, "Patient ID")
    age = pd.to_numeric(text_column(raw, "Patient Age").str.rstrip("Yy"), errors="coerce")
    targets = _targets(text_column(raw, "Finding Labels"), name)
    table = pd.DataFrame(
        {
            "path": _locate(files, source, root),
            "patient": patient,
            "study": patient + "/" + text_column(raw, "Follow-up #"),
            "view": "frontal",
            "projection": text_column(raw, "View Position"),
            "sex": text_column(raw, "Patient Sex" if "Patient Sex" in raw else "Patient Gender", _SEX),
            "age": age.where(age <= _OLDEST).astype(float),
            **dict(zip(NIH, targets.T, strict=True)),
        }
    )
    return once_per_path(Studies(table, NIH, "NIH ChestX-ray14"), name)


def read_nih_boxes(source: Path | str | IO[bytes]) -> pd.DataFrame:
    """Read ``BBox_List_2017.csv``: one row per box.

    Returns:
        Columns ``image`` (file name), ``finding`` (as in `cxrbench.labels.NIH`; the file has "Infiltrate"),
        and ``x``, ``y``, ``width``, ``height`` in pixels of the published 1024×1024 files, from the top left.

    Raises:
        InputError: no CSV, no boxes in it, or a finding this data set does not have.
    """
    name = table_name(source)
    raw = read_csv(source)
    # The header is "Bbox [x,y,w,h],,,": its commas split the name, so columns are taken by position.
    if raw.shape[1] < 6 or list(raw.columns[:2]) != ["Image Index", "Finding Label"]:
        raise InputError(
            f"{name}: expected 'Image Index', 'Finding Label' and four numbers of a box, got the columns "
            f"{', '.join(map(str, raw.columns[:6]))}; give NIH's BBox_List file."
        )
    finding = text_column(raw, "Finding Label").map(lambda word: _spelled(word, name)).astype("str")
    boxes = pd.DataFrame({column: number_column(raw, column) for column in raw.columns[2:6]})
    if boxes.isna().to_numpy().any():
        row = int(np.argmax(boxes.isna().any(axis=1)))
        raise InputError(f"{name}: expected four numbers for the box in row {row + 1}; correct the file.")
    boxes.columns = pd.Index(["x", "y", "width", "height"])
    return pd.concat(
        [text_column(raw, "Image Index").rename("image"), finding.rename("finding"), boxes], axis=1
    )


def _targets(findings: pd.Series, name: str) -> np.ndarray:
    """Targets (N, 14) of 1 and 0 from joined findings ("Effusion|Mass")."""
    codes, lists = pd.factorize(findings)
    rows = np.zeros((len(lists), len(NIH)))
    for row, joined in zip(rows, lists, strict=True):
        named = (_spelled(word, name) for word in joined.split("|"))
        row[[NIH.index(finding) for finding in named if finding != _NOTHING]] = 1
    return rows[codes]


def _spelled(word: str, name: str) -> str:
    """A finding as spelled in `cxrbench.labels.NIH`, or "No Finding", from any known spelling.

    Raises:
        InputError: this data set has no such finding.
    """
    finding = _BY_KEY.get(finding_key(word))
    if finding is None:
        raise InputError(f"{name}: expected findings of NIH ChestX-ray14, got {word!r}; correct the file.")
    return finding


def _locate(files: pd.Series, source: Path | str | IO[bytes], root: Path | str | None) -> pd.Series:
    """Absolute paths of file names; each folder is listed once instead of tested for every row."""
    if root is None and not isinstance(source, (str, Path)):
        return files
    base = Path(root).absolute() if root is not None else Path(source).absolute().parent  # type: ignore[arg-type]
    folders = [base, base / "images", *sorted(base.glob("images_*")), *sorted(base.glob("images_*/images"))]
    path_of: dict[str, str] = {}
    for folder in folders:
        if folder.is_dir():
            path_of.update((file.name, file.as_posix()) for file in folder.glob("*.png"))
    default = base / "images" if (base / "images").is_dir() else base
    paths = [path_of.get(file) or f"{default.as_posix()}/{file}" for file in files]
    return pd.Series(paths, index=files.index, dtype="str")
