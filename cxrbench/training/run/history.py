"""The history of a run: one line per epoch."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cxrbench.writing import write_text

__all__ = ["Epoch", "read", "stalled", "write"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training studies.

    Args:
        phase: index of the phase, from 0.
        epoch: index of the epoch in the phase, from 0.
        size: side of the images in pixels.
        loss: mean over the steps.
        auroc: label → validation AUROC of the averaged weights; None if undefined.
    """

    phase: int
    epoch: int
    size: int
    loss: float
    auroc: dict[str, float | None]

    @property
    def mean_auroc(self) -> float:
        """Mean over the labels with a defined AUROC; NaN if there is none."""
        known = [value for value in self.auroc.values() if value is not None]
        return float(np.mean(known)) if known else float("nan")


def stalled(epochs: list[Epoch], *, patience: int, least: float) -> bool:
    """Whether the mean validation AUROC of the latest phase has not improved for ``patience`` epochs.

    An improvement is an increase by more than ``least`` over the best value, as in Keras' EarlyStopping.

    Args:
        epochs: the history.
        patience: epochs without improvement after which a phase ends; 0 for no early stopping.
        least: smallest increase that counts as an improvement.
    """
    values = [epoch.mean_auroc for epoch in epochs if epoch.phase == epochs[-1].phase]
    best, waited = float("-inf"), 0
    for value in values:
        best, waited = (value, 0) if value > best + least else (best, waited + 1)
    return bool(patience) and waited >= patience


def write(epochs: list[Epoch], path: Path) -> None:
    """Write the history as JSON lines, atomically."""
    write_text(path, "".join(json.dumps(asdict(epoch)) + "\n" for epoch in epochs))


def read(path: Path) -> list[Epoch]:
    """Read the history of a run; empty before the end of its first epoch."""
    if not path.exists():
        return []
    return [Epoch(**json.loads(line)) for line in path.read_text(encoding="utf8").splitlines()]
