"""Reads every image of a data set once and reports what is missing, damaged, doubled or in two splits.

What is known of a file is kept in an SQLite database by its size and times, so that an inspection that was
stopped continues, and a second one reads only what has changed. One batch of images is in memory at a time.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cxrbench.data.images import read_image
from cxrbench.data.reading import Stamp, reading_version, sha256_or_empty, stamp_of
from cxrbench.data.studies import Problem, Studies
from cxrbench.errors import InputError

__all__ = ["Inspected", "Issue", "Report", "inspect", "problems", "read_report"]

_BATCH: Final = 64
_EXAMPLES: Final = 20  # of each kind of issue in a report

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, reader TEXT,
    sha256 TEXT, problem TEXT, missing INTEGER
);
CREATE TABLE IF NOT EXISTS images (path TEXT, split TEXT, patient TEXT);
CREATE INDEX IF NOT EXISTS images_by_path ON images (path);
CREATE INDEX IF NOT EXISTS images_by_patient ON images (patient);
CREATE INDEX IF NOT EXISTS files_by_sha256 ON files (sha256);
"""
# Of the images of the data set as it is now, those that have been inspected.
_KNOWN: Final = "images JOIN files USING (path)"


@dataclass(frozen=True)
class Inspected:
    """What was found of one file.

    Args:
        path: absolute.
        stamp: of the file before it was read.
        sha256: of its bytes; "" where they cannot be read.
        problem: why it cannot be used; "" if it can.
        missing: whether there is no file.
    """

    path: str
    stamp: Stamp
    sha256: str
    problem: str
    missing: bool


@dataclass(frozen=True)
class Issue:
    """One kind of fault in a data set: how often it occurs, and the first examples, one sentence each."""

    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What an inspection has found so far.

    Args:
        images: number of images by split.
        inspected: number of images that have been inspected; less than all if it was stopped.
        patients: number of patients.
        missing: images without a file.
        unreadable: files that are no usable picture.
        duplicated: files with the same bytes as another.
        doubled: files with the same bytes as one in another split.
        leaking: patients with images in more than one split.
    """

    images: Mapping[str, int]
    inspected: int
    patients: int
    missing: Issue
    unreadable: Issue
    duplicated: Issue
    doubled: Issue
    leaking: Issue

    @property
    def complete(self) -> bool:
        """Whether every image was inspected."""
        return self.inspected == sum(self.images.values())

    @property
    def faults(self) -> Mapping[str, Issue]:
        """The kinds of fault that occur, by their name in tables."""
        kinds = {
            "missing": self.missing,
            "unreadable": self.unreadable,
            "duplicated": self.duplicated,
            "duplicated across splits": self.doubled,
            "patients in more than one split": self.leaking,
        }
        return {name: issue for name, issue in kinds.items() if issue.count}


def inspect(
    splits: Mapping[str, Studies],
    database: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Read every image of a data set whose file is new or has changed since the last inspection.

    Args:
        splits: split → its studies.
        database: SQLite file of what is known; created if necessary, and created anew if it is damaged.
        workers: threads that read; by default one per core.
        progress: called in this thread with (images done, total), with (0, total) first, then after
            each batch.
        should_stop: asked after each batch; what was read until then is kept.

    Returns:
        The report, incomplete if it was stopped.

    Raises:
        InputError: the database cannot be written.
    """
    try:
        return _inspect(splits, database, workers, progress, should_stop)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise InputError(
                f"{database} cannot be written ({error}); make room there, or end another check."
            ) from error
    database.unlink(missing_ok=True)  # damaged: it holds nothing that cannot be read again
    return inspect(splits, database, workers=workers, progress=progress, should_stop=should_stop)


def read_report(database: Path) -> Report | None:
    """The report of the last inspection, as far as it came; None if there is none.

    Args:
        database: as in `inspect`.
    """
    if not database.is_file():
        return None
    try:
        with closing(_open(database)) as store:
            return _report(store)
    except sqlite3.DatabaseError:
        return None


def problems(database: Path) -> Iterator[Problem]:
    """Every image that cannot be used, in the order of the data set's tables, without holding all of them.

    Args:
        database: as in `inspect`.
    """
    with closing(_open(database)) as store:
        rows = store.execute(f"SELECT path, problem FROM {_KNOWN} WHERE problem != '' ORDER BY images.rowid")
        for path, problem in rows:
            yield Problem(Path(path), problem)


def _inspect(
    splits: Mapping[str, Studies],
    database: Path,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
    should_stop: Callable[[], bool],
) -> Report:
    with closing(_open(database)) as store, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        _list_images(store, splits)
        paths = list(dict.fromkeys(path for studies in splits.values() for path in studies.table["path"]))
        done = 0
        if progress:
            progress(0, len(paths))
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            if should_stop():
                break
            unknown = [path for path, known in zip(batch, _known(store, batch), strict=True) if not known]
            _store(store, list(pool.map(_read, unknown)))
            done += len(batch)
            if progress:
                progress(done, len(paths))
        return _report(store)


def _open(database: Path) -> sqlite3.Connection:
    store = sqlite3.connect(database, timeout=60)
    try:
        store.executescript(_TABLES)
    except BaseException:
        store.close()
        raise
    return store


def _list_images(store: sqlite3.Connection, splits: Mapping[str, Studies]) -> None:
    """Replace the list of images by that of the data set as it is now, in one transaction."""
    with store:
        store.execute("DELETE FROM images")
        for split, studies in splits.items():
            rows = zip(studies.table["path"], studies.table["patient"], strict=True)
            store.executemany(
                "INSERT INTO images VALUES (?, ?, ?)", ((path, split, patient) for path, patient in rows)
            )
        store.execute("DELETE FROM files WHERE path NOT IN (SELECT path FROM images)")


def _known(store: sqlite3.Connection, paths: Sequence[str]) -> list[bool]:
    """Whether each file is as it was when it was inspected, by the same code."""
    marks = ", ".join("?" * len(paths))
    rows = store.execute(
        "SELECT path, size, modified, changed FROM files "
        f"WHERE missing = 0 AND reader = ? AND path IN ({marks})",
        (reading_version(), *paths),
    )
    stamps = {path: Stamp(*stamp) for path, *stamp in rows}
    return [path in stamps and stamps[path].holds(Path(path)) for path in paths]


def _read(path: str) -> Inspected:
    """Inspect one file. Nothing a file may do gets out of here."""
    file = Path(path)
    stamp = stamp_of(file)
    try:
        return Inspected(path, stamp, read_image(file).sha256, "", missing=False)
    except InputError as error:
        problem = str(error)
    except Exception as error:  # a decoder's own fault, out of memory
        problem = f"{file.name}: it could not be decoded ({type(error).__name__}: {error})."
    missing = not file.exists()
    return Inspected(path, stamp, "" if missing else sha256_or_empty(file), problem, missing)


def _store(store: sqlite3.Connection, inspected: Sequence[Inspected]) -> None:
    reader = reading_version()
    with store:
        store.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(one.path, *one.stamp, reader, one.sha256, one.problem, one.missing) for one in inspected],
        )


def _report(store: sqlite3.Connection) -> Report:
    images = dict(store.execute("SELECT split, COUNT(*) FROM images GROUP BY split ORDER BY MIN(rowid)"))
    return Report(
        images,
        _count(store, f"SELECT COUNT(*) FROM {_KNOWN}"),
        _count(store, "SELECT COUNT(DISTINCT patient) FROM images"),
        _files(store, missing=True),
        _files(store, missing=False),
        _issue(
            store,
            "SELECT MIN(path), MAX(path), COUNT(*) - 1 FROM files WHERE sha256 != '' GROUP BY sha256 "
            "HAVING COUNT(*) > 1 ORDER BY MIN(path)",
            "{1} has the same bytes as {0}",
        ),
        _issue(
            store,
            f"SELECT MIN(path), MAX(path), COUNT(DISTINCT path) - 1 FROM {_KNOWN} WHERE sha256 != '' "
            "GROUP BY sha256 HAVING COUNT(DISTINCT split) > 1 ORDER BY MIN(path)",
            "{1} has the same bytes as {0}",
        ),
        _issue(
            store,
            "SELECT patient, REPLACE(GROUP_CONCAT(DISTINCT split), ',', ' and '), 1 FROM images "
            "WHERE patient != '' GROUP BY patient HAVING COUNT(DISTINCT split) > 1 ORDER BY MIN(rowid)",
            "patient {0} has images in {1}",
        ),
    )


def _files(store: sqlite3.Connection, *, missing: bool) -> Issue:
    condition = f"FROM {_KNOWN} WHERE problem != '' AND missing = {int(missing)}"
    rows = store.execute(f"SELECT path, problem {condition} ORDER BY images.rowid LIMIT {_EXAMPLES}")
    examples = tuple(str(Problem(Path(path), problem)) for path, problem in rows)
    return Issue(_count(store, f"SELECT COUNT(*) {condition}"), examples)


def _issue(store: sqlite3.Connection, query: str, form: str) -> Issue:
    """An issue of the groups that a query returns, each with how often it counts in the last column."""
    examples: list[str] = []
    count = 0
    for *values, times in store.execute(query):
        count += times
        if len(examples) < _EXAMPLES:
            examples.append(form.format(*values))
    return Issue(count, tuple(examples))


def _count(store: sqlite3.Connection, query: str) -> int:
    return int(store.execute(query).fetchone()[0])
