"""Reads the studies of a data set, split by split, and finds its images in the folder."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.datasets.forms import FORMS
from cxrbench.data.datasets.recognise import DataSet, find_signature
from cxrbench.data.studies import COLUMNS, Studies
from cxrbench.data.tables import left_out

__all__ = ["evaluated_split", "join_splits", "read_data_set", "read_table"]

_IMAGES: Final = frozenset((".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".tif", ".tiff"))
_PROBES: Final = 16


def read_data_set(found: DataSet) -> dict[str, Studies]:
    """Read every split of a data set.

    Args:
        found: as `recognise` returned it.

    Returns:
        Split → its studies, in the order of ``found.tables``. Where one table holds several splits, they
        are told apart by the data set's own rule: "train", "valid", "test", "unlisted", or "all" if there
        is none.

    Raises:
        InputError: as the data set's reader.
    """
    splits: dict[str, Studies] = {}
    for split, table in found.tables.items():
        studies = read_table(table, found.folder)
        divided = found.record.divide(studies, found.folder) if found.record.divide else {}
        for name, rows in divided.items():
            splits[name] = studies.take(rows)
        if not divided:
            splits[split] = studies
    return splits


def read_table(path: Path, root: Path | None = None) -> Studies:
    """Read a label table of any known data set, told by its columns.

    Args:
        path: the table.
        root: the folder of the images; by default the table's own.

    Raises:
        InputError: as the data set's reader; for a table of no known data set as that of CheXpert's.
    """
    fitting = find_signature(path)
    if fitting is None:
        return read_chexpert(path, root)
    form, signature = fitting
    if not FORMS[form].unique_names:
        return signature.read(path, root)
    folder = root if root is not None else path.absolute().parent
    return _located(signature.read(path, folder), folder)


def join_splits(splits: Mapping[str, Studies]) -> Studies:
    """All splits of a data set as one table, in their order, with the labels that all of them have.

    Args:
        splits: split → its studies, at least one.
    """
    parts = list(splits.values())
    labels = tuple(label for label in parts[0].labels if all(label in part.labels for part in parts))
    table = pd.concat([part.table[[*COLUMNS, *labels]] for part in parts], ignore_index=True)
    others = list(dict.fromkeys(label for part in parts for label in part.labels if label not in labels))
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    if others:
        notes[left_out(others, "since not every split has them")] = None
    return Studies(table, labels, parts[0].name, tuple(notes))


def evaluated_split(splits: Mapping[str, object]) -> str:
    """The split on which models are evaluated: the test images, or those that come nearest to them."""
    return next((split for split in ("test", "all", "valid") if split in splits), next(iter(splits)))


def _located(studies: Studies, folder: Path) -> Studies:
    """The studies with the paths at which their images are, where those are not the published ones.

    An image is found by its file's name, or by the name without the suffix (a PNG made of a DICOM file).
    """
    paths = studies.table["path"]
    probes = paths.iloc[np.unique(np.linspace(0, len(paths) - 1, _PROBES).astype(int))]
    if all(Path(path).is_file() for path in probes):
        return studies
    stems = paths.str.rpartition("/")[2].str.rpartition(".")
    names = stems[0].where(stems[0] != "", stems[2])
    found = _files_by_stem(folder, set(names))
    kept = [found.get(name, path) for name, path in zip(names, paths, strict=True)]
    return replace(studies, table=studies.table.assign(path=pd.Series(kept, paths.index, dtype="str")))


def _files_by_stem(folder: Path, wanted: set[str]) -> dict[str, str]:
    """Name without suffix → path of the first image file of that name, by folder in sorted order."""
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            stem, dot, suffix = file.rpartition(".")
            if stem in wanted and dot + suffix.lower() in _IMAGES:
                found.setdefault(stem, f"{Path(place).as_posix()}/{file}")
    return found
