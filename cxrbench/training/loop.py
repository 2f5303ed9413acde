"""The loop: phases of epochs of steps, on whatever machine accelerate finds, and resumable after any step."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cxrbench.errors import InputError
from cxrbench.metrics import ranking
from cxrbench.training import checkpoint, history
from cxrbench.training.averaging import Average
from cxrbench.training.config import Phase, TrainConfig
from cxrbench.training.dataset import Batches, Images
from cxrbench.training.evaluation import scores_of
from cxrbench.training.losses import Criterion, masked_bce
from cxrbench.training.progress import Clock, Position, Run, steps_of
from cxrbench.training.schedule import parameter_groups, rate_at

__all__ = ["Engine"]

# Images (B, 1, S, S), targets (B, L), and which of the training images they are (B,).
Batch = tuple[Tensor, Tensor, Tensor]
# Side of the square images → (training images, validation images).
Split = Callable[[int], tuple[Images, Images]]


class Engine:
    """Trains a model by a recipe, in a folder that holds all that is needed to go on after a kill.

    The folder: ``checkpoint.pt`` (and the one before), ``best.pt`` (averaged weights of the best epoch of the
    latest phase, by mean validation AUROC), ``history.jsonl``. A run resumes by itself where the folder holds
    a checkpoint. On one machine, a resumed run ends with the same weights as an undisturbed one.

    Args:
        model: images (B, 1, S, S) → logits (B, L), for every size of the phases.
        config: the recipe.
        folder: made if need be.
        weights: (L,) of the positive terms of the loss, or None.
        loss: (logits, targets) → a scalar, instead of ``masked_bce`` with ``weights``.
        say: what to do with a line of progress; only the main process speaks.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        folder: Path,
        *,
        weights: Tensor | None = None,
        loss: Criterion | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # A batch is shared out between processes, so that the recipe's batch means the same on any machine.
        shared = DataLoaderConfiguration(split_batches=True)
        self.accelerator = Accelerator(cpu=not torch.accelerator.is_available(), dataloader_config=shared)
        self.config, self.folder = config, folder
        self.say = say if self.accelerator.is_main_process else lambda line: None
        model = model.to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(parameter_groups(model, config.weight_decay), lr=0.0)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.average = Average(self._bare, config.ema)
        self.weights = None if weights is None else weights.to(self.accelerator.device)
        self.loss = loss or partial(masked_bce, weights=self.weights)
        self.run = Run()

    def fit(self, split: Split) -> list[history.Epoch]:
        """Train from the last checkpoint, or from the start, to the end of the last phase.

        Returns:
            The history; ``best`` then gives the weights to keep.

        Raises:
            InputError: the folder holds another recipe's run, or the loss is no longer a number.
        """
        torch.manual_seed(self.config.seed)
        self._resume()
        self.accelerator.wait_for_everyone()  # or one writes a checkpoint while another still reads
        clock: Clock | None = None
        while self.run.position.phase < len(self.config.phases):
            phase = self.config.phases[self.run.position.phase]
            train, valid = split(phase.size)
            clock = clock or Clock.at(self.run.position, self.config.phases, len(train))
            while self.run.position.epoch < phase.epochs:
                self._epoch(phase, train, clock)
                self._close_epoch(phase, train, valid)
            self.run.position, self.run.best = Position(self.run.position.phase + 1), -math.inf
            self._save()
        return self.run.epochs

    def best(self) -> dict[str, Tensor]:
        """The averaged weights of the best epoch of the latest phase that has one."""
        self.accelerator.wait_for_everyone()
        state: dict[str, Tensor] = torch.load(self.folder / "best.pt", map_location="cpu", weights_only=True)
        return state

    @property
    def _bare(self) -> nn.Module:
        return self.accelerator.unwrap_model(self.model)

    def _epoch(self, phase: Phase, train: Images, clock: Clock) -> None:
        start = self.run.position
        # The draw numbers passes over the data across phases, so that no two passes are augmented alike.
        draw = sum(p.epochs for p in self.config.phases[: start.phase]) + start.epoch
        batches = Batches(
            len(train),
            phase.batch,
            seed=self.config.seed,
            draw=draw,
            start=start.step,
            weights=train.weights,
        )
        each = start.step + len(batches)
        # A loader draws a seed whenever it starts: from its own generator, or a resume would shift dropout.
        own = torch.Generator()
        loader = DataLoader(train, batch_sampler=batches, num_workers=self.config.workers, generator=own)
        self.model.train()
        for step, batch in enumerate(self.accelerator.prepare_data_loader(loader), start=start.step):
            warmup = round(phase.warmup * each)
            at = start.epoch * each + step
            rate = rate_at(at, steps=phase.epochs * each, warmup=warmup, peak=phase.rate)
            self.run.loss_sum += self._step(phase, batch, rate)
            self.run.position = replace(self.run.position, step=step + 1)
            if clock.advance(phase.batch * phase.size**2):
                done = (
                    f"phase {start.phase + 1} epoch {start.epoch + 1}/{phase.epochs} step {step + 1}/{each}"
                )
                self.say(f"{done} loss {self.run.loss_sum / (step + 1):.4f}, {clock.left}")
            if (step + 1) % self.config.checkpoint_steps == 0:
                self._save()

    def _step(self, phase: Phase, batch: Batch, rate: float) -> float:
        images, targets, indices = batch
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        device = self.accelerator.device.type
        with torch.autocast(device, torch.bfloat16, enabled=phase.bfloat16):
            logits = self.model(images.contiguous(memory_format=torch.channels_last))
        loss = self.loss(logits.float(), targets)
        value = loss.item()
        if not math.isfinite(value):
            raise InputError(self._diverged(value, indices))
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.average.update(self._bare)
        return value

    def _close_epoch(self, phase: Phase, train: Images, valid: Images) -> None:
        run = self.run
        auroc = self._validate(phase, valid)
        epoch = history.Epoch(
            run.position.phase,
            run.position.epoch,
            phase.size,
            run.loss_sum / steps_of(phase, len(train)),
            auroc,
        )
        run.epochs.append(epoch)
        better = epoch.mean_auroc > run.best or math.isinf(run.best)
        if better and self.accelerator.is_main_process:
            checkpoint.save(self.average.weights, self.folder / "best.pt", say=self.say)
        run.best = epoch.mean_auroc if better else run.best
        self.say(
            f"phase {epoch.phase + 1} epoch {epoch.epoch + 1}/{phase.epochs} at {phase.size}²: "
            f"loss {epoch.loss:.4f}, validation AUROC {epoch.mean_auroc:.4f}{' (best)' if better else ''}"
        )
        run.position, run.loss_sum = replace(run.position, epoch=run.position.epoch + 1, step=0), 0.0
        self._save()

    def _validate(self, phase: Phase, valid: Images) -> dict[str, float | None]:
        trained = {name: value.clone() for name, value in self._bare.state_dict().items()}
        self._bare.load_state_dict(self.average.weights)
        try:
            # Not the wrapped model: it would send its buffers round at every pass.
            scores = scores_of(self._bare, valid, batch=phase.batch, accelerator=self.accelerator)
        finally:
            self._bare.load_state_dict(trained)
        values = ranking.auroc(valid.targets.numpy(), scores)
        return {
            label: None if math.isnan(value) else float(value)
            for label, value in zip(self.config.labels, values, strict=True)
        }

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        state: dict[str, Any] = {
            "fingerprint": self.config.fingerprint,
            "model": self._bare.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "rng": torch.get_rng_state(),
            **self.run.as_dict(),
        }
        checkpoint.save(state, self.folder / "checkpoint.pt", say=self.say)
        history.write(self.run.epochs, self.folder / "history.jsonl")

    def _resume(self) -> None:
        state = checkpoint.load(self.folder / "checkpoint.pt", say=self.say)
        if state is None:
            return
        if state["fingerprint"] != self.config.fingerprint:
            raise InputError(
                f"{self.folder} holds a run of another recipe; choose another folder or empty it."
            )
        self._bare.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["rng"])
        self.run = Run.from_dict(state)
        self.say(f"resumed at {self.run.position}")

    def _diverged(self, value: float, indices: Tensor) -> str:
        at = self.run.position
        return (
            f"The loss became {value} in phase {at.phase + 1}, epoch {at.epoch + 1}, step {at.step + 1}, "
            f"with the training images {indices.tolist()}; lower the rate, or look at those images."
        )
