"""TensorBoard events of a run: loss, learning rate, validation AUROC."""

from collections.abc import Mapping
from pathlib import Path

from cxrbench.training.run.history import Epoch

__all__ = ["Board"]


class Board:
    """Writes TensorBoard event files.

    A resumed run writes a new file into the same folder; TensorBoard ignores earlier events from the step of
    the resume on (``purge_step``).

    Args:
        folder: of the event files.
        step: first step that this process writes.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # imported here: loading a model needs none

        self._writer = SummaryWriter(str(folder), purge_step=step, flush_secs=30)

    def step(self, step: int, loss: float, rate: float) -> None:
        """Write loss and learning rate of a training step."""
        self._writer.add_scalar("loss/step", loss, step)
        self._writer.add_scalar("rate", rate, step)

    def epoch(self, step: int, epoch: Epoch) -> None:
        """Write mean loss, mean AUROC and the defined AUROCs of an epoch."""
        scalars: Mapping[str, float | None] = {
            "loss/epoch": epoch.loss,
            "AUROC/mean": epoch.mean_auroc,
            **{f"AUROC/{label}": value for label, value in epoch.auroc.items()},
        }
        for name, value in scalars.items():
            if value is not None and value == value:  # NaN is undefined, and not written
                self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the files."""
        self._writer.close()
