"""What a run remembers of itself: a line an epoch, and how long there is to go."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

__all__ = ["Clock", "Epoch", "read", "write"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training studies.

    Args:
        phase: which phase of the recipe, from 0.
        epoch: which epoch of that phase, from 0.
        size: side of the images in pixels.
        loss: mean over the steps.
        auroc: a label → validation AUROC of the averaged weights; None where undefined.
    """

    phase: int
    epoch: int
    size: int
    loss: float
    auroc: dict[str, float | None]

    @property
    def mean_auroc(self) -> float:
        """Mean over the labels where it is defined; NaN where none is."""
        known = [value for value in self.auroc.values() if value is not None]
        return float(np.mean(known)) if known else float("nan")


def write(epochs: list[Epoch], path: Path) -> None:
    """The history as JSON lines, replaced as a whole, so that a reader never sees half of one."""
    draft = path.with_suffix(".part")
    draft.write_text("".join(json.dumps(asdict(epoch)) + "\n" for epoch in epochs), encoding="utf8")
    draft.replace(path)


def read(path: Path) -> list[Epoch]:
    """The history a run has written so far; empty before its first epoch has ended."""
    if not path.exists():
        return []
    return [Epoch(**json.loads(line)) for line in path.read_text(encoding="utf8").splitlines()]


class Clock:
    """How long until the end, from the pace since the start of this process.

    Args:
        total: work of the whole run, in pixels.
        done: work that an earlier process has done.
        every: seconds between two lines.
    """

    def __init__(self, total: float, done: float = 0.0, *, every: float = 15.0) -> None:
        self.total, self.done, self.every = total, done, every
        self._first, self._start, self._last = done, time.monotonic(), float("-inf")

    def advance(self, work: float) -> bool:
        """Add work; whether it is time for a line."""
        self.done += work
        due = time.monotonic() - self._last >= self.every
        if due:
            self._last = time.monotonic()
        return due

    @property
    def left(self) -> str:
        """Such as ``12 min left``."""
        pace = (self.done - self._first) / max(time.monotonic() - self._start, 1e-9)
        minutes = (self.total - self.done) / max(pace, 1e-9) / 60
        return f"{minutes:.0f} min left" if minutes >= 1 else "less than a minute left"
