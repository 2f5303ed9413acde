"""Label tables that the Imbalance page can open: published ones, the phantom's, the user's own data sets."""

import gzip
import hashlib
import io
import zlib
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.services.label_table_titles import LABEL_TABLES, OWN, PHANTOMS, label_tables
from cxrbench.data import datasets
from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.label_tables import LabelTable, label_table
from cxrbench.data.published import read_published
from cxrbench.data.reading import stamp_of
from cxrbench.errors import InputError

__all__ = ["LABEL_TABLES", "label_tables", "open_table", "uploaded_table"]

_LARGEST: Final = 256 * 2**20  # bytes of a CSV, unpacked

_DESCRIPTIONS: Final = {
    "chexpert": "Labels extracted from reports by a rule-based labeller. Blank: the report does not mention "
    "the finding. Uncertain: the report expresses uncertainty.",
    "nih": "Labels extracted from reports: present or absent only, none uncertain.",
    "padchest": "Terms of 160,861 reports, mapped to the names that other data sets use.",
    "vindr": "Each image was read by three radiologists: positive if at least two marked the finding, "
    "uncertain if one did. The table contains no patient, sex or age.",
    "phantom": "Simulated patients: their known truth with the errors of a report labeller. "
    "`cxrbench phantom` writes the same patients with their images.",
}


def open_table(key: str) -> LabelTable:
    """The label table of a key of `label_tables`; cached for all sessions.

    Raises:
        InputError: the key is unknown, a data set's folder is gone, or its tables cannot be read.
    """
    if not key.startswith(OWN):
        return published_or_phantom(key)
    found = datasets.find(key.removeprefix(OWN)).recognised()
    versions = tuple((str(table), *stamp_of(table)) for table in found.tables.values())
    return _own_table(key, versions, found)


@st.cache_resource(max_entries=4, show_spinner="Reading the data set's tables …")
def _own_table(key: str, versions: tuple[tuple[str | int, ...], ...], _found: datasets.DataSet) -> LabelTable:
    """The labels of all splits of a data set together, and the splits as groups."""
    splits = datasets.read_data_set(_found)
    studies = datasets.join_splits(splits)
    words = " ".join([f"{_found.record.title}, your own copy.", *(f"{note}." for note in studies.notes)])
    table = label_table(f"{key} {versions}", label_tables()[key], words, studies)
    if len(splits) > 1:
        names = np.repeat(list(splits), [len(part) for part in splits.values()])
        table = replace(table, groups={**table.groups, "Split": names})
    return table


@st.cache_resource(max_entries=6, show_spinner="Reading the label table …")
def published_or_phantom(name: str) -> LabelTable:
    """A published label table, or the phantom's; cached for all sessions.

    Raises:
        InputError: the name is unknown, or the package that contains the tables is missing.
    """
    if name == "phantom":
        # Imported here: it takes half a second, and most readers choose another table.
        from cxrbench.data.phantom.planned import planned_studies

        studies = planned_studies(PHANTOMS)
    else:
        studies = read_published(name)
    return label_table(name, LABEL_TABLES[name], _DESCRIPTIONS.get(name, ""), studies)


def uploaded_table(data: bytes, name: str) -> LabelTable:
    """An uploaded table in CheXpert's format.

    Args:
        data: bytes of a CSV, may be gzipped.
        name: file name.

    Raises:
        InputError: not such a table; the message says what is wrong, and where.
    """
    return _uploaded(hashlib.sha256(data).hexdigest(), data, name)


@st.cache_resource(max_entries=4, show_spinner="Reading your table …")
def _uploaded(sha256: str, _data: bytes, name: str) -> LabelTable:
    text = io.BytesIO(_decompressed(_data, name))
    text.name = name
    studies = read_chexpert(text)
    description = [
        "Your own table; it stays in the memory of this machine.",
        *(f"{note}." for note in studies.notes),
    ]
    return label_table(sha256, name, " ".join(description), studies)


def _decompressed(data: bytes, name: str) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            text = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: the gzip file is damaged ({error}); compress it again.") from error
    if len(text) > _LARGEST:
        raise InputError(f"{name} decompresses to more than {_LARGEST >> 20} MiB; use fewer rows.")
    return text
