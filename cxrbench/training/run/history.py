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


def stalled(epochs: list[Epoch], *, patience: int, least: float) -> bool:
    """Whether the latest phase has gone so many epochs without a mean validation AUROC better by ``least``.

    The bar is the best AUROC that itself cleared the bar before it, as Keras' EarlyStopping has it.

    Args:
        epochs: the history.
        patience: epochs without an improvement after which a phase ends; 0 for never.
        least: smaller improvements do not count.
    """
    own = [epoch.mean_auroc for epoch in epochs if epoch.phase == epochs[-1].phase]
    bar, since = float("-inf"), 0
    for value in own:
        bar, since = (value, 0) if value > bar + least else (bar, since + 1)
    return bool(patience) and since >= patience


def write(epochs: list[Epoch], path: Path) -> None:
    """The history as JSON lines, replaced as a whole, so that a reader never sees half of one."""
    write_text(path, "".join(json.dumps(asdict(epoch)) + "\n" for epoch in epochs))


def read(path: Path) -> list[Epoch]:
    """The history a run has written so far; empty before its first epoch has ended."""
    if not path.exists():
        return []
    return [Epoch(**json.loads(line)) for line in path.read_text(encoding="utf8").splitlines()]
