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

__all__ = ["LABEL_TABLES", "published_or_phantom", "uploaded_table"]

PHANTOMS: Final = 3000
_LARGEST: Final = 256 * 2**20  # bytes of a CSV, unpacked

LABEL_TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: entry.summary for name, entry in PUBLISHED.items()},
        "phantom": f"{PHANTOMS:,} phantom patients",
    }
)

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
