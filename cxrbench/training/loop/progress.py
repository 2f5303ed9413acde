"""Position, state and remaining time of a run."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from cxrbench.training.config import Phase
from cxrbench.training.run.history import Epoch

__all__ = ["Clock", "Position", "RunState"]


@dataclass(frozen=True)
class Position:
    """Position of a run: ``step`` steps of this epoch are done. All count from 0."""

    phase: int = 0
    epoch: int = 0
    step: int = 0


@dataclass
class RunState:
    """State of a run, besides weights and optimizer.

    Args:
        position: of the run.
        loss_sum: sum over the finished steps of this epoch.
        best: mean validation AUROC of the best epoch of this phase; −∞ before its first.
        epochs: the history.
    """

    position: Position = field(default_factory=Position)
    loss_sum: float = 0.0
    best: float = -math.inf
    epochs: list[Epoch] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        position = self.position
        return {
            "position": (position.phase, position.epoch, position.step),
            "running": (self.loss_sum, self.best),
            "epochs": [vars(epoch) for epoch in self.epochs],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """From a checkpoint; other keys are ignored."""
        epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        loss_sum, best = state["running"]
        return cls(Position(*state["position"]), loss_sum, best, epochs)


class Clock:
    """Estimates the remaining time from the speed since the start of this process.

    Args:
        total: work of the whole run, in pixels.
        done: work that was done before a resume.
        every: seconds between two lines of progress.
    """

    def __init__(self, total: float, done: float = 0.0, *, every: float = 15.0) -> None:
        self.total, self.done, self.every = total, done, every
        self._first, self._start, self._last = done, time.monotonic(), float("-inf")

    @classmethod
    def at(cls, position: Position, phases: Sequence[Phase], count: int) -> Self:
        """The clock of a run at a position, with ``count`` training images."""
        work = [steps_of(phase, count) * phase.batch * phase.size**2 for phase in phases]  # of one epoch
        total = sum(each * phase.epochs for each, phase in zip(work, phases, strict=True))
        done = sum(work[i] * phases[i].epochs for i in range(position.phase))
        if position.phase < len(phases):
            current = phases[position.phase]
            done += work[position.phase] * position.epoch + position.step * current.batch * current.size**2
        return cls(total, done)

    def advance(self, work: float) -> bool:
        """Add work; return whether a line of progress is due."""
        self.done += work
        due = time.monotonic() - self._last >= self.every
        if due:
            self._last = time.monotonic()
        return due

    @property
    def left(self) -> str:
        """Remaining time as text, for example ``12 min left``."""
        pace = (self.done - self._first) / max(time.monotonic() - self._start, 1e-9)
        minutes = (self.total - self.done) / max(pace, 1e-9) / 60
        return f"{minutes:.0f} min left" if minutes >= 1 else "less than a minute left"


def steps_of(phase: Phase, count: int) -> int:
    """Steps per epoch: full batches only, but at least one."""
    return count // min(phase.batch, count)
