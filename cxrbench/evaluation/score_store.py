"""Scores of files on disk: one line per file, keyed by its content."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from cxrbench.data.reading import Stamp, sha256_or_empty, stamp_of

__all__ = ["Line", "ScoreStore", "Scored", "gathered"]


@dataclass(frozen=True, eq=False)
class Line:
    """What is known of one file.

    Args:
        path: absolute.
        stamp: how the file looked before it was read.
        sha256: of its bytes; "" where they could not be read.
        scores: (L,) float32 in [0, 1]; None where the image could not be read.
        problem: why not; "" where it could.
        note: what the reader had to decide, or what must be known of the image; "" for nothing.
        written: when, in nanoseconds: of several lines of a path the latest counts.
        distance: from the model's training films (``Outputs.distances``); NaN where that is not known.
    """

    path: str
    stamp: Stamp
    sha256: str
    scores: np.ndarray | None
    problem: str = ""
    note: str = ""
    written: int = 0
    distance: float = math.nan

    def as_json(self) -> str:
        """One line of JSON; single precision survives it exactly."""
        scores = None if self.scores is None else [float(score) for score in self.scores]
        distance = None if math.isnan(self.distance) else float(self.distance)
        outcome = (self.problem, self.note, time.time_ns(), distance)
        return (
            json.dumps([self.path, list(self.stamp), self.sha256, scores, *outcome], ensure_ascii=False)
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str, count: int) -> Self | None:
        """The line; None where it is cut or damaged, or does not hold so many scores."""
        try:
            # Lines of version 0.1 have no distance.
            path, stamp, sha256, scores, problem, note, written, *distance = json.loads(text)
            known = None if scores is None else np.array(scores, np.float32)
            far = math.nan if not distance or distance[0] is None else float(distance[0])
            outcome = (str(problem), str(note), int(written), far)
            line = cls(str(path), Stamp(*map(int, stamp)), str(sha256), known, *outcome)
        except (ValueError, TypeError):
            return None
        return line if known is None or known.shape == (count,) else None


class ScoreStore:
    """Lines of one model in a folder. Each process appends to a file of its own and reads those of all.

    A process that is killed loses at most the line it was writing.

    Args:
        folder: made if need be.
        key: of the weights, the recipe and the reading code: other ones have files of their own.
        process: number of this process.
        labels: how many scores a line holds.
    """

    def __init__(self, folder: Path, key: str, process: int, labels: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files: Callable[[], list[Path]] = lambda: sorted(folder.glob(f"{key}.*.jsonl"))
        self._own = folder / f"{key}.{process}.jsonl"
        self._labels = labels
        self._by_path: dict[str, Line] = {}
        self._by_content: dict[str, Line] = {}
        self.read()

    def read(self) -> None:
        """Read the lines of all processes anew."""
        self._by_path.clear()
        self._by_content.clear()
        for line in self._lines():
            if line.written >= self._by_path.get(line.path, line).written:
                self._by_path[line.path] = line
            if line.scores is not None:
                self._by_content[line.sha256] = line

    def append(self, lines: Sequence[Line]) -> None:
        """Keep lines; they are in the file when this returns."""
        if not lines:
            return
        with self._own.open("a+b") as file:
            end = file.seek(0, 2)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":  # a kill cut the last line
                    file.write(b"\n")
            file.write("".join(line.as_json() for line in lines).encode("utf-8"))

    def latest(self, path: Path) -> Line | None:
        """The latest line of a path, whether or not it still holds."""
        return self._by_path.get(str(path.absolute()))

    def find(self, path: Path) -> tuple[Line | None, bool]:
        """The scores of a file as it is now, and whether they have to be appended under this path and stamp.

        Size and times are looked at first; where they differ, or there is no line of this path, the content
        decides. A file that could not be read before is not found: it is to be tried again.
        """
        line = self.latest(path)
        if line is not None and line.scores is not None and line.stamp.holds(path):
            return line, False
        if not self._by_content:
            return None, False
        stamp = stamp_of(path)
        same = self._by_content.get(sha256_or_empty(path))
        if same is None:
            return None, False
        return replace(same, path=str(path.absolute()), stamp=stamp), True

    def _lines(self) -> Iterator[Line]:
        for file in self._files():
            with file.open(encoding="utf-8", errors="replace") as stream:
                for text in stream:
                    if line := Line.from_json(text, self._labels):
                        yield line


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of files.

    Args:
        scores: (N, L) float32 in [0, 1]; a row of NaN where the image could not be read.
        problems: path → why it could not be read, in the order of the files.
        notes: path → what the reader had to decide, where it had to.
        unreadable: (N,) bool: the image could not be read.
        distances: (N,) from the model's training films (``Outputs.distances``); NaN where not known.
    """

    scores: np.ndarray
    problems: Mapping[Path, str]
    notes: Mapping[Path, str]
    unreadable: np.ndarray
    distances: np.ndarray


def gathered(store: ScoreStore, paths: Sequence[Path], labels: int) -> Scored:
    """What a store knows of files, in their order."""
    scores = np.full((len(paths), labels), np.nan, np.float32)
    distances = np.full(len(paths), np.nan)
    problems: dict[Path, str] = {}
    notes: dict[Path, str] = {}
    for row, path in enumerate(paths):
        line = store.latest(path)
        if line is None:
            continue
        if line.scores is None:
            problems[path] = line.problem
        else:
            scores[row], distances[row] = line.scores, line.distance
        if line.note:
            notes[path] = line.note
    unreadable = np.array([path in problems for path in paths])
    return Scored(scores, problems, notes, unreadable, distances)
