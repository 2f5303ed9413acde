"""CheXpert's label files (Irvin et al. 2019, arXiv:1901.07031), in all the forms they go round in."""

from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute

from cxrbench.data.studies import Studies
from cxrbench.data.tables import label_column, read_csv, table_name, text_column, translated
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, canonical

__all__ = ["read_chexpert"]

_SEX = {"male": "M", "m": "M", "female": "F", "f": "F"}
_VIEW = {"frontal": "frontal", "lateral": "lateral"}

# Rows whose file is looked for to find out where the images lie: one may well be missing, sixteen will not.
_PROBES = 16


def read_chexpert(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """A CheXpert label file → studies, row by row: nothing is aggregated, −1 and blanks stay what they are.

    Train, valid and test files, original and small, with ``_`` or spaces in the names of labels, with or
    without the demographic columns. Columns of other names are left out. An age of 0 (three rows) is kept.

    Args:
        source: the CSV file.
        root: the folder the images are looked for in; by default the CSV's own, then the one above. Leading
            parts of the file's paths ("CheXpert-v1.0-small/train/…") that are not in the folder are dropped.

    Returns:
        The studies; labels in the order of `cxrbench.labels.CHEXPERT`, as far as the file has them.

    Raises:
        InputError: no CSV, no ``Path`` or no label column, a path without a patient, or an unknown label
            value.
    """
    name = table_name(source)
    raw = read_csv(source)
    columns = _label_columns(raw, name)
    by_name = {str(column).casefold(): column for column in raw.columns}
    if "path" not in by_name:
        raise InputError(
            f"{name}: expected a column 'Path' with one image a row, got the columns "
            f"{', '.join(map(str, raw.columns[:6]))}; give CheXpert's own label file."
        )
    raw = raw.rename(columns={by_name["path"]: "Path"})
    paths = text_column(raw, "Path")
    # A program writes all of its paths alike. If it did not, the rest is refused below: it names no patient.
    if paths.iloc[:: max(1, len(paths) // _PROBES)].str.contains("\\", regex=False).any():
        paths = paths.str.replace("\\", "/")
    parts = _parts(paths)
    if parts["patient"].isna().any():
        row = int(np.argmax(parts["patient"].isna()))
        raise InputError(
            f"{name}: expected paths like 'train/patient00001/study1/view1_frontal.jpg', got "
            f"{paths.iloc[row]!r} in row {row + 1}; without a patient the images cannot be split safely."
        )
    view = text_column(raw, "Frontal/Lateral", _VIEW)
    table = pd.DataFrame(
        {
            "path": _resolve(paths, source, root),
            "patient": parts["patient"].astype("str"),
            "study": (parts["patient"] + "/" + parts["study"].fillna("")).astype("str"),
            "view": view.where(view != "", translated(parts["view"], _VIEW)),
            "projection": text_column(raw, "AP/PA"),
            "sex": text_column(raw, "Sex", _SEX),
            "age": pd.to_numeric(raw["Age"], errors="coerce").astype(float) if "Age" in raw else np.nan,
            **{label: label_column(raw[column], name) for label, column in columns.items()},
        }
    )
    return Studies(table, tuple(columns), "CheXpert")


def _parts(paths: pd.Series) -> pd.DataFrame:
    """Patient, study and view that paths name; missing where they name none."""
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
        if ordinary:  # the file has few names and few studies: only the different ones are looked at
            named = file.dictionary.to_pandas().str.extract(r"^view\d+_([a-z]+)")[0]
            view = pa.DictionaryArray.from_arrays(file.indices, pa.array(named)).cast(pa.string())
            texts = {"patient": ends[0].to_pandas(), "study": ends[1].to_pandas(), "view": view.to_pandas()}
            return pd.DataFrame(texts).set_axis(paths.index)
    return paths.str.extract(
        r"(?P<patient>patient\d+)/(?:(?P<study>study\d+)/)?(?:view\d+_(?P<view>[a-z]+))?"
    )


def _label_columns(raw: pd.DataFrame, name: str) -> dict[str, str]:
    """Label → its column in the file, in CheXpert's order."""
    known = {label.casefold(): label for label in CHEXPERT}
    found: dict[str, str] = {}
    for column in raw.columns:
        label = known.get(canonical(str(column)).casefold())
        if label in found:
            raise InputError(
                f"{name}: expected one column for {label}, got {found[label]!r} and {column!r}; drop one."
            )
        if label:
            found[label] = column
    if not found:
        raise InputError(
            f"{name}: expected a CSV with CheXpert's label columns ({', '.join(CHEXPERT)}), got the columns "
            f"{', '.join(map(str, raw.columns[:6]))}; give a file with at least one of them."
        )
    return {label: found[label] for label in CHEXPERT if label in found}


def _resolve(paths: pd.Series, source: Path | str | IO[bytes], root: Path | str | None) -> pd.Series:
    """The paths under the folder where the images truly lie: decided once, then the same for every row."""
    if root is None and not isinstance(source, (str, Path)):
        return paths
    own = Path(source).absolute().parent if isinstance(source, (str, Path)) else Path()
    bases = [Path(root).absolute()] if root is not None else [own, own.parent]
    probes = paths.iloc[np.unique(np.linspace(0, len(paths) - 1, _PROBES).astype(int))]
    base, dropped = _find_prefix([PurePosixPath(path).parts for path in probes], bases)
    if PurePosixPath(paths.iloc[0]).is_absolute():
        if not dropped:
            return paths
        paths, dropped = paths.str.lstrip("/"), dropped - 1
    kept = paths.str.split("/", n=dropped).str[-1] if dropped else paths
    return (base.as_posix().rstrip("/") + "/" + kept).astype("str")


def _find_prefix(probes: list[tuple[str, ...]], bases: list[Path]) -> tuple[Path, int]:
    """The folder, and how many leading parts to drop, under which the first probe is found."""
    for base in bases:
        # A folder above the data set's own: its parts' first is the name of a folder the user has renamed.
        folders = [base, *sorted(child for child in _children(base) if child.name.startswith("CheXpert"))]
        for parts in probes:
            for folder in folders:
                for dropped in range(len(parts) - 1):
                    if folder.joinpath(*parts[dropped:]).is_file():
                        return folder, dropped
    return bases[0], 0


def _children(folder: Path) -> list[Path]:
    return [child for child in folder.iterdir() if child.is_dir()] if folder.is_dir() else []
