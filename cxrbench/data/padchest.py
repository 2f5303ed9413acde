"""PadChest's label table (Bustos et al. 2020, arXiv:1901.07441)."""

from ast import literal_eval
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from cxrbench.data.padchest_terms import PADCHEST, findings_of, is_term
from cxrbench.data.studies import Studies, once_per_path
from cxrbench.data.tables import left_out, number_column, read_csv, table_name, text_column, translated
from cxrbench.errors import InputError

__all__ = ["read_padchest"]

_PROJECTIONS: Final = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP", "L": "LL", "COSTAL": "COSTAL"}
_NO_LIST: Final = ("", "nan")
_COLUMNS: Final = (
    *("ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM"),
    *("Projection", "Labels"),
)


def read_padchest(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read PadChest's table of 160k images.

    A label is 1 where a term of `PADCHEST` or a narrower one was reported, else 0. An image without a list of
    labels (103 of them) has NaN throughout. The age is the year of the study minus the year of birth.
    ``notes`` lists the terms that PadChest does not have.

    Args:
        source: the CSV file.
        root: the folder of the images; without one ``path`` is the file name only.

    Raises:
        InputError: no CSV, a column missing, ``Labels`` without a list, or an image that occurs twice with
            different labels.
    """
    name = table_name(source)
    raw = read_csv(source, columns=_COLUMNS)
    labels = tuple(dict.fromkeys(PADCHEST.values()))
    projection = text_column(raw, "Projection")
    folder = text_column(raw, "ImageDir")
    path = text_column(raw, "ImageID")
    targets, unknown = _targets(raw["Labels"], labels, name)
    table = pd.DataFrame(
        {
            "path": path if root is None else Path(root).absolute().as_posix() + "/" + folder + "/" + path,
            "patient": text_column(raw, "PatientID"),
            "study": text_column(raw, "StudyID"),
            "view": np.where(projection == "L", "lateral", np.where(projection == "COSTAL", "", "frontal")),
            "projection": translated(projection, _PROJECTIONS),
            "sex": text_column(raw, "PatientSex_DICOM", {"m": "M", "f": "F"}),
            "age": number_column(raw, "StudyDate_DICOM") // 10_000 - number_column(raw, "PatientBirth"),
            **dict(zip(labels, targets.T, strict=True)),
        }
    )
    note = left_out(unknown, "since PadChest has no such term")
    return once_per_path(Studies(table, labels, "PadChest", (f"{name}: {note}",) if note else ()), name)


def _targets(lists: pd.Series, labels: tuple[str, ...], name: str) -> tuple[np.ndarray, list[str]]:
    """Targets (N, L) of 1 and 0, NaN without a list, from Python lists as text; and the unknown terms."""
    # 160k rows hold only some ten thousand distinct lists.
    codes, texts = pd.factorize(lists)
    rows = np.full((len(texts), len(labels)), np.nan)
    unknown: dict[str, None] = {}
    for code, text in enumerate(texts):
        terms = _terms(text)
        if terms is None:
            row = int(np.argmax(codes == code)) + 1
            raise InputError(
                f"{name}: expected a list such as ['rib fracture'] in row {row}, column 'Labels', "
                f"got {text!r:.60}; correct the file."
            )
        if text.strip().casefold() in _NO_LIST:
            continue
        findings = frozenset().union(*map(findings_of, terms))
        rows[code] = [label in findings for label in labels]
        unknown |= dict.fromkeys(term for term in terms if term and not is_term(term))
    return rows[codes], list(unknown)


def _terms(text: str) -> list[str] | None:
    """Terms of a list in Python's notation, [] where there is no list; None for anything else."""
    if text.strip().casefold() in _NO_LIST:
        return []
    try:
        terms = literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        return None
    return [term.strip() for term in terms]
