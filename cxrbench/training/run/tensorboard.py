"""TensorBoard events of a run: loss, learning rate, validation AUROC."""

from collections.abc import Mapping
from pathlib import Path

from cxrbench.training.run.history import Epoch

__all__ = ["Board"]


class Board:
    """Writes event files; closed at the end, or by whoever stops the run.

    A resumed run writes a new file into the same folder, from the step it resumed at on; ``purge`` lets
    TensorBoard drop what the former process had written beyond it.

    Args:
        folder: of the event files.
        step: the first step that this process will write.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # not above: a model that is only loaded needs none

        self._writer = SummaryWriter(str(folder), purge_step=step, flush_secs=30)

    def step(self, step: int, loss: float, rate: float) -> None:
        """A training step: its loss and the learning rate."""
        self._writer.add_scalar("loss/step", loss, step)
        self._writer.add_scalar("rate", rate, step)

    def epoch(self, step: int, epoch: Epoch) -> None:
        """The end of an epoch: mean loss, mean AUROC, and the AUROC of each finding that has one."""
        scalars: Mapping[str, float | None] = {
            "loss/epoch": epoch.loss,
            "AUROC/mean": epoch.mean_auroc,
            **{f"AUROC/{label}": value for label, value in epoch.auroc.items()},
        }
        for name, value in scalars.items():
            if value is not None and value == value:  # NaN is not drawn: it is not known
                self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
