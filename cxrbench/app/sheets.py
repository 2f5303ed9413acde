"""Label tables that the Imbalance page can open: published ones, the phantom's, the user's own."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.clinical import age_bands
from cxrbench.data.published import PUBLISHED, read_published
from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["SHEETS", "Sheet", "grouped", "own_sheet", "sheet"]

PHANTOMS: Final = 3000
_SEED: Final = 0
_FEW: Final = 50
_LARGEST: Final = 256 * 2**20  # bytes of a CSV, unpacked


@dataclass(frozen=True, eq=False)
class Sheet:
    """The labels of a data set, with what groups its images.

    Args:
        key: names the content in caches.
        title: how the page calls it.
        words: where it comes from and what must be known to read it.
        labels: L names.
        targets: (N, L) float32: 1, 0, −1, NaN.
        groups: by the way of grouping, (N,) text, "" where it is not known.
        patients: how many there are; 0 where the table names none.
    """

    key: str
    title: str
    words: str
    labels: tuple[str, ...]
    targets: np.ndarray
    groups: Mapping[str, np.ndarray]
    patients: int

    @property
    def findings(self) -> list[int]:
        """Columns that are findings: all but the one that says there is none."""
        return [index for index, label in enumerate(self.labels) if label != "No Finding"]


SHEETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: entry.summary for name, entry in PUBLISHED.items()},
        "phantom": f"{PHANTOMS:,} phantom patients",
    }
)

_WORDS: Final = {
    "chexpert": "The labels were read from reports by a program: blank means that the report says nothing of "
    "the finding, uncertain that it hedges.",
    "nih": "Labels mined from reports; the table knows present and absent only, so nothing is uncertain.",
    "padchest": "Terms of 160,861 reports, brought under the names that other data sets use.",
    "vindr": "Read by three radiologists each: positive where two or three marked it, uncertain where one "
    "did. The table names no patient, sex or age.",
    "phantom": "Simulated patients: what a report-reading labeller makes of their known truth. "
    "`cxrbench phantom` writes the same patients with their pictures.",
}


@st.cache_resource(max_entries=6, show_spinner="Reading the label table …")
def sheet(name: str) -> Sheet:
    """A table that comes with the bench; kept for all sessions once it is read.

    Raises:
        InputError: an unknown name, or the package that holds the tables is missing.
    """
    studies = _phantoms() if name == "phantom" else read_published(name)
    return _sheet(name, SHEETS[name], _WORDS.get(name, ""), studies)


def own_sheet(data: bytes, name: str) -> Sheet:
    """The reader's CheXpert table.

    Args:
        data: a CSV, perhaps gzipped.
        name: of the file.

    Raises:
        InputError: it is no such table; the sentence says what is wrong, and where.
    """
    return _own(hashlib.sha256(data).hexdigest(), data, name)


@st.cache_resource(max_entries=4, show_spinner="Reading your table …")
def _own(sha256: str, _data: bytes, name: str) -> Sheet:
    text = io.BytesIO(_unpacked(_data, name))
    text.name = name
    studies = read_chexpert(text)
    words = [
        "Your own table; it stays in the memory of this machine.",
        *(f"{note}." for note in studies.notes),
    ]
    return _sheet(sha256, name, " ".join(words), studies)


def _unpacked(data: bytes, name: str) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            text = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: the packed file is damaged ({error}); pack it again.") from error
    if len(text) > _LARGEST:
        raise InputError(f"{name} unpacks to more than {_LARGEST >> 20} MiB; give fewer rows.")
    return text


def grouped(sheet: Sheet, way: str) -> dict[str, np.ndarray]:
    """Group → which images (N,) bool belong to it; at most eight, those not known last.

    A group of fewer than fifty images is left out: its shares would say nothing and stretch every axis.

    Args:
        sheet: the table.
        way: a key of its groups.
    """
    values = sheet.groups[way]
    names, counts = np.unique(values, return_counts=True)
    order = names if way == "Age" else names[np.argsort(-counts, kind="stable")]
    known = {str(name): values == name for name in [*order[order != ""][:8], *order[order == ""]]}
    return {name or "not known": held for name, held in known.items() if held.sum() >= _FEW}


def _sheet(key: str, title: str, words: str, studies: Studies) -> Sheet:
    table = studies.table
    ways: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
        "Sex": lambda rows: _text(rows["sex"]),
        "Age": lambda rows: age_bands(rows["age"].to_numpy(np.float64)),
        "View": lambda rows: _view(rows),
    }
    groups = {way: make(table) for way, make in ways.items()}
    patients = int(table["patient"].nunique())
    return Sheet(
        key,
        title,
        words,
        studies.labels,
        studies.targets,
        {way: values for way, values in groups.items() if len(np.unique(values)) > 1},
        patients if patients < len(table) else 0,
    )


def _text(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=str)


def _view(rows: pd.DataFrame) -> np.ndarray:
    """AP, PA or lateral, as far as it is known."""
    view, projection = _text(rows["view"]), _text(rows["projection"])
    return np.where(view == "lateral", "lateral", np.where(projection != "", projection, view))


def _phantoms() -> Studies:
    from cxrbench.data.phantom import plan
    from cxrbench.data.phantom.anatomy import draw_patient
    from cxrbench.labels import CHEXPERT

    rows: list[dict[str, Any]] = []
    bodies: dict[int, Any] = {}
    for study in plan(PHANTOMS, seed=_SEED):
        if study.split != "train":
            continue
        body = bodies[study.seed] = bodies.get(study.seed) or draw_patient(study.seed)
        about = {"path": study.path, "patient": f"patient{study.patient:05d}", "study": str(study.number)}
        about |= {"view": "lateral" if study.view == "LATERAL" else "frontal", "projection": study.view}
        rows.append({**about, "sex": body.sex, "age": float(body.age), **study.labels})
    table = pd.DataFrame(rows).reindex(
        columns=["path", "patient", "study", "view", "projection", "sex", "age", *CHEXPERT]
    )
    return Studies(table.astype(dict.fromkeys(CHEXPERT, np.float64)), CHEXPERT, "phantom")
