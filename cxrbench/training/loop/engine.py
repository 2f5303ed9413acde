"""The loop: phases of epochs of steps, on any device that accelerate finds, resumable after any step."""

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
from cxrbench.training.loop.progress import Clock, Position, Run, steps_of
from cxrbench.training.loop.schedule import rate_at
from cxrbench.training.loop.step import DivergedError, Learner
from cxrbench.training.objective.losses import Criterion, masked_bce
from cxrbench.training.run import checkpoint, history
from cxrbench.training.run.status import StopAsked
from cxrbench.training.run.tensorboard import Board
from cxrbench.training.validation import scores_of

__all__ = ["Engine"]

# Side of the square images → (training images, validation images).
Split = Callable[[int], tuple[Images, Images]]

_EVERY: Final = 10  # steps between two points of TensorBoard's curves


class Engine:
    """Trains a model by a recipe, in a folder that holds all that is needed to go on after a kill.

    The folder: ``checkpoint.pt`` (and the one before), ``best.pt`` (averaged weights of the best epoch of the
    latest phase, by mean validation AUROC), ``history.jsonl``, and ``events`` for TensorBoard where asked.
    A run resumes by itself where the folder holds a checkpoint. On one machine, a resumed run ends with the
    same weights as an undisturbed one.

    Args:
        model: images (B, 1, S, S) → logits (B, L), for every size of the phases.
        config: the recipe.
        folder: made if need be.
        weights: (L,) of the positive terms of the loss, or None.
        loss: (logits, targets) → a scalar, instead of ``masked_bce`` with ``weights``.
        say: what to do with a line of progress; only the main process speaks.
        asked: whether the run should stop; looked at after every step.
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
        asked: Callable[[], bool] = lambda: False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.learner = Learner(model, config, loss or masked_bce)
        self.accelerator = self.learner.accelerator
        if weights is not None and loss is None:
            self.learner.loss = partial(masked_bce, weights=weights.to(self.accelerator.device))
        self.config, self.folder, self.asked = config, folder, asked
        self.say = say if self.accelerator.is_main_process else lambda line: None
        self.run = Run()
        self.board: Board | None = None

    @property
    def model(self) -> nn.Module:
        """The network as it is trained."""
        return self.learner.model

    def fit(self, split: Split) -> list[history.Epoch]:
        """Train from the last checkpoint, or from the start, to the end of the last phase.

        Returns:
            The history; ``best`` then gives the weights to keep.

        Raises:
            InputError: the folder holds another recipe's run, or the loss is no longer a number.
            StopAsked: ``asked`` said so; the state is kept.
        """
        torch.manual_seed(self.config.seed)
        self._resume()
        self.accelerator.wait_for_everyone()  # or one writes a checkpoint while another still reads
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

        Where their file was lost (a full disk), those of the last epoch.
        """
        self.accelerator.wait_for_everyone()
        state = checkpoint.load(self.folder / "best.pt", say=self.say)
        if state is None:
            self.say("The weights of the best epoch could not be kept; those of the last one are taken.")
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
        """Whether the phase ends early; told by the history alone, so a resume decides alike."""
        own = self.run.epochs if self.run.position.epoch else []
        return bool(own) and history.stalled(own, patience=phase.patience, least=phase.least)

    def _steps_before(self, count: int) -> int:
        """Steps of the whole run before this epoch."""
        at, phases = self.run.position, self.config.phases
        done = sum(steps_of(phase, count) * phase.epochs for phase in phases[: at.phase])
        return done + steps_of(phases[at.phase], count) * at.epoch

    def _epoch(self, phase: Phase, train: Images, clock: Clock) -> None:
        start = self.run.position
        loader = remaining(self.config, phase, train, start)
        each = start.step + len(loader)  # steps of the whole epoch, those of an earlier process included
        before = self._steps_before(len(train))
        title = f"phase {start.phase + 1} epoch {start.epoch + 1}/{phase.epochs}"
        self.learner.train_mode()
        with ProgressBar(title, final_line=False) as bar:
            for step, batch in enumerate(self.accelerator.prepare_data_loader(loader), start=start.step):
                warmup = round(phase.warmup * each)
                at = start.epoch * each + step
                rate = rate_at(
                    at, steps=phase.epochs * each, warmup=warmup, peak=phase.rate, floor=phase.floor
                )
                loss = self._step(phase, batch, rate, train)
                self.run.loss_sum += loss
                self.run.position = replace(self.run.position, step=step + 1)
                if self.board and step % _EVERY == 0:
                    self.board.step(before + step, loss, rate)
                done, mean = f"{title} step {step + 1}/{each}", self.run.loss_sum / (step + 1)
                if clock.advance(phase.batch * phase.size**2):
                    self.say(f"{done} loss {mean:.4f}, {clock.left}")
                if self.accelerator.is_main_process:
                    bar(step + 1, each, f"loss {mean:.4f}, {clock.left}")
                self._pause(step, done)

    def _pause(self, step: int, done: str) -> None:
        """Save where it is time to; stop where that is asked for."""
        stop = self.learner.agree(self.asked)
        if stop or (step + 1) % self.config.checkpoint_steps == 0:
            self._save()
        if stop:
            raise StopAsked(f"stopped after {done}; the same command goes on from there")

    def _step(self, phase: Phase, batch: Batch, rate: float, train: Images) -> float:
        try:
            return self.learner.step(phase, batch, rate)
        except DivergedError as error:
            at = self.run.position
            where = f"phase {at.phase + 1}, epoch {at.epoch + 1}, step {at.step + 1}"
            raise error.told(train.names, where, self.folder) from None

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
            # What could not be written is not the best that there is: a later epoch may be.
            better = checkpoint.save(self.learner.average.weights, self.folder / "best.pt", say=self.say)
        run.best = epoch.mean_auroc if better else run.best
        # The first epoch of a phase has none to be better than.
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
            # Not the wrapped model: it would send its buffers round at every pass.
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
        with suppress(InputError):  # it is in the checkpoint, too, and written anew with the next one
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
        self.run = Run.from_dict(state)
        at = self.run.position
        if at.phase >= len(self.config.phases):
            self.say("All phases of this run were trained before: nothing is trained anew.")
        else:
            self.say(f"resumed in phase {at.phase + 1}, epoch {at.epoch + 1}, after {at.step} of its steps")
