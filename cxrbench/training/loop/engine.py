"""The training loop over phases, epochs and steps, on any device, resumable after any step."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.metrics import ranking
from cxrbench.terminal import ProgressBar
from cxrbench.training.config import Phase, TrainConfig
from cxrbench.training.dataset import Batch, Images
from cxrbench.training.loop.batches import remaining
from cxrbench.training.loop.progress import Clock, Position, RunState, steps_of
from cxrbench.training.loop.schedule import rate_at
from cxrbench.training.loop.step import DivergedError, Learner
from cxrbench.training.objective.losses import Criterion, masked_bce
from cxrbench.training.run import checkpoint, history
from cxrbench.training.run.status import StopRequested
from cxrbench.training.run.tensorboard import Board
from cxrbench.training.validation import scores_of

__all__ = ["Engine"]

# Side of the square images → (training images, validation images).
Split = Callable[[int], tuple[Images, Images]]

_TENSORBOARD_STEPS: Final = 10  # steps between two points of TensorBoard's curves


class Engine:
    """Trains a model by a recipe; its folder holds everything needed to resume after an interruption.

    The folder: ``checkpoint.pt`` (and the one before), ``best.pt`` (averaged weights of the best epoch of the
    latest phase, by mean validation AUROC), ``history.jsonl``, and ``events`` for TensorBoard if enabled.
    If the folder holds a checkpoint, training resumes from it. On one machine, a resumed run ends with the
    same weights as an uninterrupted one.

    Args:
        model: images (B, 1, S, S) → logits (B, L), for every size of the phases.
        config: the recipe.
        folder: created if it does not exist.
        weights: (L,) of the positive terms of ``masked_bce``, or None.
        loss: (logits, targets) → a scalar, instead of ``masked_bce`` with ``weights``.
        say: called with each line of progress, in the main process only.
        should_stop: checked after every step.
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
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.learner = Learner(model, config, loss or masked_bce)
        self.accelerator = self.learner.accelerator
        if weights is not None and loss is None:
            self.learner.loss = partial(masked_bce, weights=weights.to(self.accelerator.device))
        self.config, self.folder, self.should_stop = config, folder, should_stop
        self.say = say if self.accelerator.is_main_process else lambda line: None
        self.run = RunState()
        self.board: Board | None = None

    @property
    def model(self) -> nn.Module:
        """The network in training."""
        return self.learner.model

    def fit(self, split: Split) -> list[history.Epoch]:
        """Train from the last checkpoint, or from the start, to the end of the last phase.

        Returns:
            The history; ``best`` then returns the weights to keep.

        Raises:
            InputError: the folder holds a run of another recipe, or the loss is NaN or infinite.
            StopRequested: ``should_stop`` returned True; the state is saved.
        """
        torch.manual_seed(self.config.seed)
        self._resume()
        self.accelerator.wait_for_everyone()  # or one process writes a checkpoint while another still reads
        clock: Clock | None = None
        try:
            while self.run.position.phase < len(self.config.phases):
                phase = self.config.phases[self.run.position.phase]
                train, valid = split(phase.size)
                clock = clock or Clock.at(self.run.position, self.config.phases, len(train))
                self._phase(phase, train, valid, clock)
        finally:
            if self.board:
                self.board.close()
        return self.run.epochs

    def best(self) -> dict[str, Tensor]:
        """The averaged weights of the best epoch of the latest phase that has one.

        If they could not be written (a full disk), those of the last epoch.
        """
        self.accelerator.wait_for_everyone()
        state = checkpoint.load(self.folder / "best.pt", say=self.say)
        if state is None:
            self.say("The weights of the best epoch could not be written; using those of the last epoch.")
        return self.learner.average.weights if state is None else state

    def _phase(self, phase: Phase, train: Images, valid: Images, clock: Clock) -> None:
        self.learner.begin(phase)
        if self.config.tensorboard and self.accelerator.is_main_process and not self.board:
            self.board = Board(
                self.folder / "events", self._steps_before(len(train)) + self.run.position.step
            )
        while self.run.position.epoch < phase.epochs and not self._stalled(phase):
            self._epoch(phase, train, clock)
            self._close_epoch(phase, train, valid)
        self.run.position, self.run.best = Position(self.run.position.phase + 1), -math.inf
        self._save()

    def _stalled(self, phase: Phase) -> bool:
        """Whether the phase ends early; depends on the history only, so a resumed run decides the same."""
        epochs = self.run.epochs if self.run.position.epoch else []
        return bool(epochs) and history.stalled(epochs, patience=phase.patience, least=phase.least)

    def _steps_before(self, count: int) -> int:
        """Steps of the whole run before this epoch."""
        position, phases = self.run.position, self.config.phases
        done = sum(steps_of(phase, count) * phase.epochs for phase in phases[: position.phase])
        return done + steps_of(phases[position.phase], count) * position.epoch

    def _epoch(self, phase: Phase, train: Images, clock: Clock) -> None:
        start = self.run.position
        loader = remaining(self.config, phase, train, start)
        epoch_steps = start.step + len(loader)  # including those before a resume
        before = self._steps_before(len(train))
        title = f"phase {start.phase + 1} epoch {start.epoch + 1}/{phase.epochs}"
        self.learner.train_mode()
        with ProgressBar(title, final_line=False) as bar:
            for step, batch in enumerate(self.accelerator.prepare_data_loader(loader), start=start.step):
                warmup = round(phase.warmup * epoch_steps)
                phase_step = start.epoch * epoch_steps + step
                rate = rate_at(
                    phase_step,
                    steps=phase.epochs * epoch_steps,
                    warmup=warmup,
                    peak=phase.rate,
                    floor=phase.floor,
                )
                loss = self._step(phase, batch, rate, train)
                self.run.loss_sum += loss
                self.run.position = replace(self.run.position, step=step + 1)
                if self.board and step % _TENSORBOARD_STEPS == 0:
                    self.board.step(before + step, loss, rate)
                done, mean = f"{title} step {step + 1}/{epoch_steps}", self.run.loss_sum / (step + 1)
                if clock.advance(phase.batch * phase.size**2):
                    self.say(f"{done} loss {mean:.4f}, {clock.left}")
                if self.accelerator.is_main_process:
                    bar(step + 1, epoch_steps, f"loss {mean:.4f}, {clock.left}")
                self._pause(step, done)

    def _pause(self, step: int, done: str) -> None:
        """Save a checkpoint if one is due; stop if requested."""
        stop = self.learner.any_process(self.should_stop)
        if stop or (step + 1) % self.config.checkpoint_steps == 0:
            self._save()
        if stop:
            raise StopRequested(f"stopped after {done}; run the same command to resume")

    def _step(self, phase: Phase, batch: Batch, rate: float, train: Images) -> float:
        try:
            return self.learner.step(phase, batch, rate)
        except DivergedError as error:
            position = self.run.position
            where = f"phase {position.phase + 1}, epoch {position.epoch + 1}, step {position.step + 1}"
            raise error.with_images(train.names, where, self.folder) from None

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
            # If writing fails, a later epoch may still become the best.
            better = checkpoint.save(self.learner.average.weights, self.folder / "best.pt", say=self.say)
        run.best = epoch.mean_auroc if better else run.best
        # Not for the first epoch of a phase, which is always the best so far.
        best = f" (best of phase {epoch.phase + 1} so far)" if better and epoch.epoch else ""
        self.say(
            f"phase {epoch.phase + 1} epoch {epoch.epoch + 1}/{phase.epochs} at {phase.size}²: "
            f"loss {epoch.loss:.4f}, validation AUROC {epoch.mean_auroc:.4f}{best}"
        )
        if self.board:
            self.board.epoch(self._steps_before(len(train)) + run.position.step, epoch)
        run.position, run.loss_sum = replace(run.position, epoch=run.position.epoch + 1, step=0), 0.0
        self._save()

    def _validate(self, phase: Phase, valid: Images) -> dict[str, float | None]:
        trained = {name: value.clone() for name, value in self.learner.bare.state_dict().items()}
        self.learner.bare.load_state_dict(self.learner.average.weights)
        try:
            # Not the wrapped model: it would broadcast its buffers at every forward pass.
            scores = scores_of(self.learner.bare, valid, batch=phase.batch, accelerator=self.accelerator)
        finally:
            self.learner.bare.load_state_dict(trained)
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
            "model": self.learner.bare.state_dict(),
            "optimizer": self.learner.optimizer.state_dict(),
            "average": self.learner.average.state_dict(),
            "rng": torch.get_rng_state(),
            **self.run.as_dict(),
        }
        checkpoint.save(state, self.folder / "checkpoint.pt", say=self.say)
        with suppress(InputError):  # it is in the checkpoint too, and written again with the next one
            history.write(self.run.epochs, self.folder / "history.jsonl")

    def _resume(self) -> None:
        state = checkpoint.load(self.folder / "checkpoint.pt", say=self.say)
        if state is None:
            return
        if state["fingerprint"] != self.config.fingerprint:
            raise InputError(
                f"{self.folder} holds a run of another recipe; choose another folder or empty it."
            )
        self.learner.bare.load_state_dict(state["model"])
        self.learner.optimizer.load_state_dict(state["optimizer"])
        self.learner.average.load_state_dict(state["average"])
        torch.set_rng_state(state["rng"])
        self.run = RunState.from_dict(state)
        position = self.run.position
        if position.phase >= len(self.config.phases):
            self.say("All phases of this run are finished: nothing is trained again.")
        else:
            self.say(
                f"resumed in phase {position.phase + 1}, epoch {position.epoch + 1}, "
                f"after step {position.step}"
            )
