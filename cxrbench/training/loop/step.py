"""One training step: network, optimizer, weight average."""

import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.training.config import Phase, TrainConfig
from cxrbench.training.dataset import Batch
from cxrbench.training.loop.ema import WeightAverage
from cxrbench.training.loop.schedule import parameter_groups
from cxrbench.training.loop.sync_batchnorm import share_norms
from cxrbench.training.objective.losses import Criterion
from cxrbench.training.transfer.freezing import ALL, depths, freeze, frozen_modules
from cxrbench.writing import write_text

__all__ = ["DivergedError", "Learner"]


class DivergedError(InputError):
    """The loss is NaN or infinite.

    Args:
        value: of the loss.
        rows: indices of the training images in the batch, of all processes.
    """

    def __init__(self, value: float, rows: Sequence[int]) -> None:
        super().__init__(f"The loss became {value} with the training images {list(rows)}.")
        self.value, self.rows = value, tuple(rows)

    def with_images(self, names: Sequence[str], where: str, folder: Path) -> InputError:
        """Write the batch to ``diverged.json``; return the error for the user, which names the images."""
        images = [names[row] for row in self.rows] if names else [str(row) for row in self.rows]
        batch = {"loss": str(self.value), "where": where, "rows": self.rows, "images": images}
        with suppress(OSError, InputError):  # a full disk must not hide the reason
            write_text(folder / "diverged.json", json.dumps(batch, indent=1) + "\n")
        listed = ", ".join(images[:6]) + (" …" if len(images) > 6 else "")
        return InputError(
            f"The loss became {self.value} in {where}, with the training images {listed} (all are listed in "
            f"{folder / 'diverged.json'}); lower the rate, or check these images. The last state is kept."
        )


class Learner:
    """A network with its optimizer and the average of its weights, on the device that accelerate finds.

    Args:
        model: images (B, 1, S, S) → logits.
        config: the recipe.
        loss: (logits, targets) → a scalar, the mean over the known targets.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, loss: Criterion) -> None:
        # A batch is split between processes, so that a recipe's batch size means the same everywhere.
        shared = DataLoaderConfiguration(split_batches=True)
        self.accelerator = Accelerator(cpu=not torch.accelerator.is_available(), dataloader_config=shared)
        self.config, self.loss = config, loss
        self.many = self.accelerator.num_processes > 1
        model = model.to(memory_format=torch.channels_last)
        if config.exact and self.many:
            model = share_norms(model)
        below: dict[str, int] = {}
        if any(phase.slower < 1 for phase in config.phases):
            below = depths(model)  # type: ignore[arg-type]  # freeze and depths say what they need
        optimizer = torch.optim.AdamW(parameter_groups(model, config.weight_decay, below), lr=0.0)
        self.model: nn.Module
        self.optimizer: torch.optim.Optimizer
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.average = WeightAverage(self.bare, config.ema)

    @property
    def bare(self) -> nn.Module:
        """The network without accelerate's wrapper."""
        bare: nn.Module = self.accelerator.unwrap_model(self.model)
        return bare

    def begin(self, phase: Phase) -> None:
        """Freeze the layers that the phase does not train; call before its first step and after a resume."""
        if all(each.train == ALL for each in self.config.phases):
            return
        bare = self.bare
        freeze(bare, phase.train)
        if (
            self.model is not bare
        ):  # the wrapper waits for gradients of all parameters trainable when it was created
            self.model = self.accelerator.prepare_model(bare)

    def train_mode(self) -> None:
        """Set train mode, except for frozen modules."""
        self.model.train()
        for module in frozen_modules(self.bare):
            module.eval()

    def step(self, phase: Phase, batch: Batch, rate: float) -> float:
        """Update the weights once; return the loss, averaged over processes.

        Raises:
            DivergedError: the loss is not finite; the weights are unchanged.
        """
        images, targets, indices = batch
        for group in self.optimizer.param_groups:
            group["lr"] = rate * phase.slower ** group.get("depth", 0)
        with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=phase.bfloat16):
            logits = self.model(images.contiguous(memory_format=torch.channels_last))
        loss = self.loss(logits.float(), targets)
        if self.many and self.config.exact:
            loss = loss * self._share(targets)
        value = self._mean(loss.detach())
        if not math.isfinite(value):
            rows: Any = self.accelerator.gather(indices)
            raise DivergedError(value, rows.tolist())
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.average.update(self.bare)
        return value

    def any_process(self, condition: Callable[[], bool]) -> bool:
        """Whether the condition holds in any process; the same value in all of them."""
        if not self.many:
            return condition()
        votes: Any = self.accelerator.reduce(torch.tensor(float(condition()), device=self.accelerator.device))
        return bool(votes > 0)

    def _mean(self, loss: Tensor) -> float:
        # NaN in one process becomes NaN in all, so that all of them stop.
        total: Any = self.accelerator.reduce(loss, "mean") if self.many else loss
        return float(total)

    def _share(self, targets: Tensor) -> Tensor:
        """Known targets of this process over the mean of all: weights its loss as in the whole batch."""
        known = (~torch.isnan(targets)).sum().float()
        mean: Tensor = self.accelerator.reduce(known, "mean")
        return known / mean.clamp(min=1e-9)
