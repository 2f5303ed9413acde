"""Label tables that the Imbalance page can open: published ones, the phantom's, the user's own."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import streamlit as st

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.label_tables import LabelTable, label_table
from cxrbench.data.published import PUBLISHED, read_published
from cxrbench.errors import InputError

__all__ = ["SHEETS", "own_sheet", "sheet"]

PHANTOMS: Final = 3000
_LARGEST: Final = 256 * 2**20  # bytes of a CSV, unpacked

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
def sheet(name: str) -> LabelTable:
    """A table that comes with the bench; kept for all sessions once it is read.

    Raises:
        InputError: an unknown name, or the package that holds the tables is missing.
    """
    if name == "phantom":
        # Not above: the phantom takes half a second to import, and most readers choose another table.
        from cxrbench.data.phantom.planned import planned_studies

        studies = planned_studies(PHANTOMS)
    else:
        studies = read_published(name)
    return label_table(name, SHEETS[name], _WORDS.get(name, ""), studies)


def own_sheet(data: bytes, name: str) -> LabelTable:
    """The reader's CheXpert table.

    Args:
        data: a CSV, perhaps gzipped.
        name: of the file.

    Raises:
        InputError: it is no such table; the sentence says what is wrong, and where.
    """
    return _own(hashlib.sha256(data).hexdigest(), data, name)


@st.cache_resource(max_entries=4, show_spinner="Reading your table …")
def _own(sha256: str, _data: bytes, name: str) -> LabelTable:
    text = io.BytesIO(_unpacked(_data, name))
    text.name = name
    studies = read_chexpert(text)
    words = [
        "Your own table; it stays in the memory of this machine.",
        *(f"{note}." for note in studies.notes),
    ]
    return label_table(sha256, name, " ".join(words), studies)


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
