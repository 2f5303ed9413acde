"""The user's own data sets: folders that are remembered by name, with what inspections found in them.

What is remembered lies in `cxrbench.assets.own_data`, one folder per data set. Nothing is written into the
folder of a data set, and nothing is deleted there.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cxrbench import assets
from cxrbench.data.datasets.forms import FORMS
from cxrbench.data.datasets.inspection import Report, inspect, read_report
from cxrbench.data.datasets.loading import read_data_set
from cxrbench.data.datasets.recognise import DataSet, recognise
from cxrbench.data.reading import sha256_or_empty
from cxrbench.data.studies import Studies
from cxrbench.errors import InputError
from cxrbench.writing import create_folder, free_name, write_text

__all__ = ["OwnDataSet", "add", "check", "find", "find_folder", "remove", "scan"]

_RECORD: Final = "data_set.json"
_DATABASE: Final = "inspection.sqlite"
_EVALUATION: Final = "evaluation"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class OwnDataSet:
    """A data set of the user's that is remembered.

    Args:
        name: by which commands and pages name it.
        folder: of the data set.
        form: a key of `FORMS`.
        added: day and time in UTC, ISO 8601.
        tables: label table, below the folder → its SHA-256 when the data set was last checked.
        place: the folder of what is remembered of it.
    """

    name: str
    folder: Path
    form: str
    added: str
    tables: dict[str, str]
    place: Path

    @property
    def database(self) -> Path:
        """What inspections have found, as `inspect` keeps it."""
        return self.place / _DATABASE

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluations of models that the workbench made on it."""
        return self.place / _EVALUATION

    @property
    def report(self) -> Report | None:
        """The report of the last inspection; None if there was none."""
        return read_report(self.database)

    def change(self) -> str:
        """What has become of the folder since the last check, in one sentence; "" if nothing."""
        if not self.folder.is_dir():
            return (
                f"The folder {self.folder} of the data set {self.name} is gone; bring it back, or remove the "
                f"data set ('cxrbench data remove {self.name}') and add it again from where it is now."
            )
        changed = [
            table for table, sha256 in self.tables.items() if sha256_or_empty(self.folder / table) != sha256
        ]
        if changed:
            return (
                f"{', '.join(changed)} in {self.folder} changed after the last check; check the data set "
                f"again ('cxrbench data check {self.name}')."
            )
        return ""

    def recognised(self) -> DataSet:
        """The data set as it is now.

        Raises:
            InputError: its folder is gone, or no longer holds its tables.
        """
        if not self.folder.is_dir():
            raise InputError(self.change())
        return recognise(self.folder, self.form)


def scan() -> list[OwnDataSet]:
    """Every data set that is remembered, by name."""
    root = assets.own_data()
    try:
        places = sorted(place for place in root.iterdir() if place.is_dir())
    except OSError:  # none yet, or not readable
        return []
    entries = (_read(place) for place in places)
    return [entry for entry in entries if entry is not None]


def find(name: str) -> OwnDataSet:
    """The data set of a name.

    Raises:
        InputError: none has it; the message lists those that there are.
    """
    entry = _read(assets.own_data() / name) if _NAME.fullmatch(name) else None
    if entry is None:
        known = ", ".join(each.name for each in scan())
        raise InputError(
            f"There is no data set named {name!r}; "
            f"{f'choose from: {known}' if known else 'none was added yet'}. "
            "'cxrbench data add DIR' adds one."
        )
    return entry


def add(folder: Path, name: str | None = None, form: str | None = None) -> OwnDataSet:
    """Recognise the data set in a folder and remember it; its images are read by `check`.

    A folder that is remembered already keeps its name.

    Args:
        folder: of the data set.
        name: lower-case letters, digits, hyphens and underscores; by default that of the published data set
            (a key of `FORMS`), with a number if it is taken.
        form: as in `recognise`.

    Raises:
        InputError: as `recognise`; a table cannot be read; or the name cannot be used, or is another data
            set's.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise InputError(
            f"Expected a name of at most 64 lower-case letters, digits, hyphens and underscores, got "
            f"{name!r:.80}; choose another."
        )
    recognised = recognise(folder, form)
    read_data_set(recognised)  # what cannot be read is not remembered
    known = scan()
    same = next((entry for entry in known if _same_folder(entry.folder, folder)), None)
    if same is not None and name in (None, same.name):
        return _remember(same.name, recognised, same.added)
    if same is not None:
        raise InputError(
            f"{folder} is the data set {same.name} already; remove that one ('cxrbench data remove "
            f"{same.name}') to give it another name."
        )
    taken = {entry.name: entry.folder for entry in known}
    if name in taken:
        raise InputError(
            f"The name {name} belongs to the data set in {taken[name]}; choose another (--name), or remove "
            f"that one ('cxrbench data remove {name}')."
        )
    chosen = name or free_name(recognised.form, taken, form="{name}-{number}")
    return _remember(chosen, recognised, datetime.now(UTC).isoformat(timespec="seconds"))


def check(
    entry: OwnDataSet,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[dict[str, Studies], Report]:
    """Read the tables and images of a data set, and remember what was found; arguments as in `inspect`.

    Returns:
        Its studies by split, and the report.

    Raises:
        InputError: its folder is gone, or a table cannot be read.
    """
    recognised = entry.recognised()
    splits = read_data_set(recognised)
    report = inspect(splits, entry.database, progress=progress, should_stop=should_stop)
    if report.complete and _read(entry.place) is not None:  # it may have been removed meanwhile
        _remember(entry.name, recognised, entry.added)
    return splits, report


def remove(name: str) -> None:
    """Forget a data set, its report and its evaluations; the folder with its images stays as it is.

    Raises:
        InputError: there is none of that name.
    """
    entry = find(name)
    for file in (_RECORD, _DATABASE, f"{_DATABASE}-journal"):
        (entry.place / file).unlink(missing_ok=True)
    shutil.rmtree(entry.evaluation, ignore_errors=True)
    try:
        entry.place.rmdir()
    except OSError:  # it holds something else, which stays
        return


def find_folder(text: str) -> tuple[Path, str | None]:
    """The folder of the data set that a command or page names, and its form where that is known.

    Args:
        text: the name of a data set that was added, or the path of a folder; a name that is also that of
            another folder here has to be written ``./NAME`` for the folder.

    Returns:
        The folder, and a key of `FORMS`, or None for a folder that was not added.

    Raises:
        InputError: neither or both, or the data set's folder is gone.
    """
    entry = _read(assets.own_data() / text) if _NAME.fullmatch(text) else None
    folder = Path(text)
    if entry is None:
        if not folder.is_dir():
            names = ", ".join(each.name for each in scan()) or "none was added yet"
            raise InputError(
                f"{text!r} is neither a folder nor the name of a data set ({names}); add one with "
                "'cxrbench data add DIR'."
            )
        return folder, None
    if folder.is_dir() and not _same_folder(folder, entry.folder):
        raise InputError(
            f"{text!r} is a folder here and the name of the data set in {entry.folder}; write "
            f"{os.curdir}{os.sep}{text} for the folder, or {entry.folder} for the data set."
        )
    if not entry.folder.is_dir():
        raise InputError(entry.change())
    return entry.folder, entry.form


def _remember(name: str, recognised: DataSet, added: str) -> OwnDataSet:
    place = assets.own_data() / name
    tables = {
        path.relative_to(recognised.folder).as_posix(): sha256_or_empty(path)
        for path in recognised.tables.values()
    }
    record = {"folder": str(recognised.folder), "form": recognised.form, "added": added, "tables": tables}
    create_folder(place, "name another folder in CXRBENCH_DATA")
    write_text(place / _RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n", sync=True)
    return OwnDataSet(name, recognised.folder, recognised.form, added, tables, place)


def _read(place: Path) -> OwnDataSet | None:
    """What is remembered in a folder; None where nothing is, or it cannot be read."""
    try:
        record: Any = json.loads((place / _RECORD).read_text(encoding="utf-8"))
        folder, form, added = Path(record["folder"]), record["form"], str(record["added"])
        tables = {str(table): str(sha256) for table, sha256 in record["tables"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return OwnDataSet(place.name, folder, form, added, tables, place) if form in FORMS else None


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is gone
        return one.absolute() == other.absolute()
