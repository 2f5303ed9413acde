"""``Studies``: the table that every data set becomes, and a check that its files can be read."""

import posixpath
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from cxrbench.data.images import read_image
from cxrbench.errors import InputError

__all__ = [
    "COLUMNS",
    "Problem",
    "Studies",
    "check_files",
    "count_of",
    "first_rows",
    "normal_paths",
    "once_per_path",
]

# Columns of every data set beside the labels.
COLUMNS = ("path", "patient", "study", "view", "projection", "sex", "age")

_BATCH = 512
_BLANK = -9.0  # in place of NaN where labels are compared


@dataclass(frozen=True, eq=False)
class Studies:
    """Images of a data set with their labels and metadata, one row per image, in the order of its file.

    Args:
        table: `COLUMNS`, then one float column per label: 1 present, 0 absent, −1 uncertain, NaN not
            mentioned. ``path`` is absolute (or as in the data set where no folder is given), ``view`` is
            "frontal", "lateral" or "", ``projection`` "AP", "PA" and so on or "", ``sex`` "M", "F" or "",
            ``age`` in years or NaN.
        labels: the label columns, in order.
        name: of the data set, for captions.
        notes: what the reader left out or counted once, one sentence each; to be shown to the user.
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    name: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = [*COLUMNS, *self.labels]
        if list(self.table.columns) != expected:
            raise ValueError(f"table must have the columns {expected}; got {list(self.table.columns)}")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def targets(self) -> np.ndarray:
        """Labels (N, L) float32: 1, 0, −1 uncertain, NaN not mentioned."""
        return self.table[list(self.labels)].to_numpy(np.float32)

    @property
    def paths(self) -> list[Path]:
        """Paths of the N images."""
        return [Path(path) for path in self.table["path"]]

    def take(self, rows: Sequence[int] | np.ndarray) -> Self:
        """The rows at the given positions (or where a boolean mask is true), in that order."""
        chosen = np.asarray(rows)
        positions = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
        return replace(self, table=self.table.iloc[positions].reset_index(drop=True))

    def frontal(self) -> Self:
        """The frontal images only."""
        return self.take((self.table["view"] == "frontal").to_numpy())


@dataclass(frozen=True)
class Problem:
    """A file that cannot be used: its path, and one sentence on the cause."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """The path and the sentence, as the commands print it."""
        return f"{self.path}: {self.reason.removeprefix(f'{self.path.name}: ')}"


def once_per_path(studies: Studies, file: str) -> Studies:
    """Keep the first row of every path; ``notes`` states how many paths occurred more than once.

    Args:
        studies: as read.
        file: name of the label file, for messages.

    Raises:
        InputError: a path occurs with different labels; the sentence gives an example.
    """
    first = first_rows(normal_paths(studies.table["path"]))
    repeats = np.flatnonzero(first != np.arange(len(first)))
    if not len(repeats):
        return studies
    targets = np.nan_to_num(studies.targets, nan=_BLANK)
    differs = targets[repeats] != targets[first[repeats]]
    count = len(np.unique(first[repeats]))
    if differs.any():
        index, label = np.argwhere(differs)[0]
        row, first_row = int(repeats[index]), int(first[repeats[index]])
        conflicts = len(np.unique(first[repeats[differs.any(axis=1)]]))
        raise InputError(
            f"{file}: {count_of(count)} more than once, {conflicts:,} with different labels, for example "
            f"{studies.table['path'].iloc[first_row]!r} in rows {first_row + 1} and {row + 1} "
            f"({studies.labels[label]}: {_shown(targets[first_row, label])} and "
            f"{_shown(targets[row, label])}); "
            "keep one row per image."
        )
    note = f"{file}: {count_of(count)} more than once, with the same labels: each is counted once"
    kept = studies.take(first == np.arange(len(first)))
    return replace(kept, notes=(*studies.notes, note))


def normal_paths(paths: pd.Series) -> pd.Series:
    """Normalise paths: "a//b", "./a/b" and "a/c/../b" become "a/b"; "" is kept."""
    odd = paths.str.startswith(".") | paths.str.endswith("/")
    for mark in ("//", "/.", "\\"):
        odd |= paths.str.contains(mark, regex=False)
    if not odd.any():
        return paths
    return paths.where(~odd, paths[odd].str.replace("\\", "/").map(posixpath.normpath))


def first_rows(keys: pd.Series) -> np.ndarray:
    """First row with the same key, for every row (N,) int."""
    codes, distinct = pd.factorize(keys)
    first = np.zeros(len(distinct), np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # assigned in reverse, so that the first one remains
    return first[codes]


def count_of(paths: int) -> str:
    """The subject of a sentence on a number of paths."""
    return "1 path occurs" if paths == 1 else f"{paths:,} paths occur"


def _shown(value: float) -> str:
    return "nothing" if value == _BLANK else f"{value:g}"


def check_files(
    studies: Studies,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Problem]:
    """Read every image once, so that no missing or damaged file stops a training run.

    Args:
        studies: whose files to read; a path that occurs twice is read once.
        workers: threads (decoders release Python's global lock); by default one per core, and a few more.
        progress: called in this thread with (files read, total) after each.

    Returns:
        The problems, in the order of the table; empty if there are none.
    """
    paths = list(dict.fromkeys(studies.paths))
    problems = []
    with ThreadPoolExecutor(workers) as pool:
        # In batches: an interrupt then waits for one batch, not for a quarter of a million files.
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            for done, problem in enumerate(pool.map(_check_file, batch), start=start + 1):
                if problem:
                    problems.append(problem)
                if progress:
                    progress(done, len(paths))
    return problems


def _check_file(path: Path) -> Problem | None:
    try:
        read_image(path)
    except InputError as error:
        return Problem(path, str(error))
    return None
