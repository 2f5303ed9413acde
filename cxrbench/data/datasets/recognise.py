"""Recognises a published data set from the tables in its folder, whatever the folder's name."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cxrbench.data.chexpert_plus import is_patient_table
from cxrbench.data.datasets.forms import FORMS, Form, Signature
from cxrbench.data.headers import read_header
from cxrbench.data.tables import is_table
from cxrbench.errors import InputError, look_up

__all__ = ["DataSet", "find_signature", "recognise"]

_DEPTH: Final = 2  # folders below the data set's own in which tables are searched
# Entries of a folder below the first that are looked at: one with more of them holds images or patients.
_MOST_ENTRIES: Final = 1000
_SHOWN: Final = 5  # files in a message

_TITLES: Final = tuple(record.title for record in FORMS.values())

# Words in a file's name → split.
_SPLITS: Final = {
    **dict.fromkeys(("test", "groundtruth"), "test"),
    **dict.fromkeys(("valid", "val", "validation", "dev", "development"), "valid"),
    "train": "train",
}


@dataclass(frozen=True)
class DataSet:
    """A folder that holds a published data set.

    Args:
        folder: absolute.
        form: a key of `FORMS`.
        tables: split ("train", "valid", "test", or "all" where names tell none) → its label table.
        others: further label tables of the same data set, which are not read.
    """

    folder: Path
    form: str
    tables: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    others: tuple[Path, ...] = ()

    @property
    def record(self) -> Form:
        """What is known of the data set."""
        return FORMS[self.form]


@dataclass(frozen=True)
class _Table:
    """A table that was recognised."""

    path: Path
    form: str
    rank: tuple[int, ...]  # the smaller, the sooner it is read
    split: str
    depth: int


def recognise(folder: Path, form: str | None = None) -> DataSet:
    """Recognise the data set in a folder from the columns of its tables, there and up to two folders below.

    Args:
        folder: of the data set, with any name.
        form: a key of `FORMS`: only tables of that data set are looked for.

    Returns:
        The data set; of several tables of one split the first by ``Form.preferred``, then by signature,
        depth and name.

    Raises:
        InputError: no such folder, no table of a known data set, or tables of several.
    """
    if form is not None:
        look_up("data set", form, FORMS)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder of a data set.")
    files = list(_tables_in(folder.absolute()))
    headers = {path: read_header(path) for path in files}
    found = [table for path in files for table in _recognised(path, folder.absolute(), headers[path])]
    found = [table for table in found if form in (None, table.form)]
    if not found:
        raise InputError(_nothing_found(folder, headers, form))
    # Results of other programs lie deeper than the tables of a data set, if they lie in its folder at all.
    depth = min(table.depth for table in found)
    forms = list(dict.fromkeys(table.form for table in found if table.depth == depth))
    if len(forms) > 1:
        examples = (next(table.path for table in found if table.form == one) for one in forms)
        named = ", ".join(
            f"{FORMS[one].title} ({path.relative_to(folder.absolute())})"
            for one, path in zip(forms, examples, strict=True)
        )
        raise InputError(
            f"{folder} holds tables of several data sets: {named}; give each its own folder, or say which is "
            f"meant (--form {forms[0]})."
        )
    return _data_set(folder.absolute(), forms[0], [table for table in found if table.form == forms[0]])


def find_signature(path: Path) -> tuple[str, Signature] | None:
    """The form and signature of a label table; None where it is of no known data set."""
    columns = read_header(path)
    return next(
        (
            (form, signature)
            for form, record in FORMS.items()
            for signature in record.signatures
            if signature.fits(columns)
        ),
        None,
    )


def _data_set(folder: Path, form: str, found: list[_Table]) -> DataSet:
    tables: dict[str, Path] = {}
    others = []
    named = any(table.split != "all" for table in found)
    for table in sorted(found, key=lambda table: (table.rank, table.path)):
        if table.split in tables or (named and table.split == "all"):
            others.append(table.path)
        else:
            tables[table.split] = table.path
    order = ("all", "train", "valid", "test")
    return DataSet(
        folder, form, MappingProxyType({key: tables[key] for key in order if key in tables}), tuple(others)
    )


def _recognised(path: Path, folder: Path, columns: tuple[str, ...]) -> Iterator[_Table]:
    for form, record in FORMS.items():
        fitting = [number for number, each in enumerate(record.signatures) if each.fits(columns)]
        if fitting:
            names = record.preferred
            place = next((n for n, part in enumerate(names) if part in path.name.casefold()), len(names))
            depth = len(path.relative_to(folder).parts)
            rank = (place, fitting[0], depth)
            # One table for all splits is divided by row, whatever its name.
            split = "all" if record.divide else _split_of(path)
            yield _Table(path, form, rank, split, depth)


def _split_of(path: Path) -> str:
    words = re.findall(r"[a-z]+", path.name.partition(".")[0].casefold())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "all")


def _tables_in(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Every table in a folder and below, sorted, without what lies in folders of many images or patients."""
    try:
        with os.scandir(folder) as listing:  # unlike Path.iterdir it knows folders without a look at each
            entries = sorted(islice(listing, None if depth == 0 else _MOST_ENTRIES), key=lambda one: one.name)
    except OSError:  # no permission: as if it were empty
        return
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    yield from (Path(entry) for entry in visible if is_table(Path(entry)) and entry.is_file())
    if depth < _DEPTH and (depth == 0 or len(entries) < _MOST_ENTRIES):
        for entry in visible:
            if entry.is_dir():
                yield from _tables_in(Path(entry), depth + 1)


def _nothing_found(folder: Path, headers: Mapping[Path, tuple[str, ...]], form: str | None) -> str:
    """A sentence: what was looked for, what was found, what to do."""
    patients = next((path for path, columns in headers.items() if is_patient_table(columns)), None)
    if patients is not None and form in (None, "chexpert_plus"):
        return (
            f"{folder} holds CheXpert Plus's reports ({patients.name}) but not their labels; unpack "
            "chexbert_labels.zip into it: impression_fixed.json is looked for."
        )
    wanted = f"{FORMS[form].title}: {FORMS[form].files}" if form else ", ".join(_TITLES)
    names = [str(path.relative_to(folder.absolute())) for path in headers]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    got = f"the tables {', '.join(names[:_SHOWN])}{more}, which are of none of them" if names else "no table"
    return (
        f"{folder} is not the folder of a known data set: looked there and two folders below for the label "
        f"tables of {wanted}; found {got}. Give the folder that holds the data set's own tables."
    )
