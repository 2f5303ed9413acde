"""From a recipe to a model folder: read the studies, train, evaluate on the test studies, save."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import PartialState

from cxrbench import assets, evaluation, models
from cxrbench.data import Studies
from cxrbench.errors import InputError
from cxrbench.models import folder as files
from cxrbench.models import hub
from cxrbench.processes import this_process
from cxrbench.terminal import write_line
from cxrbench.training import Engine, Images, TrainConfig, recipe, report, scores_of, sources, supervision
from cxrbench.training.recipe import Source
from cxrbench.training.records import record
from cxrbench.training.run import status as run_status
from cxrbench.writing import write_text

__all__ = ["evaluate_and_save", "run", "train"]

Say = Callable[[str], None]

_RECIPE: Final = "recipe.json"  # what a run was started with, in its folder
_BEFORE: Final = {"recipe.toml", "console.txt", "lock"}  # what the Train page leaves before the run begins


def run(config: TrainConfig, out: Path | None = None, *, force: bool = False) -> None:
    """Train in the folder of runs, or another; a run that is stopped prints how to resume it.

    Arguments and errors as of `train`.
    """
    try:
        train(config, out or assets.runs() / config.name, force=force)
    except run_status.StopAsked as stopped:
        if this_process().is_main_process:
            print(stopped)


def train(config: TrainConfig, out: Path, *, force: bool = False, say: Say = write_line) -> None:
    """Read the studies, train, evaluate, save; a run that was stopped resumes where it was.

    Args:
        config: the recipe.
        out: folder of the run: ``model`` is what comes out, ``state`` what is needed to go on after a kill,
            ``pixels`` the decoded images, ``log.txt`` what was said, ``status.json`` how it stands.
        force: train even where the folder holds something else; a run of another recipe begins anew.
        say: what to do with a line of progress, which is also kept in the log.

    Raises:
        InputError: the folder holds something else than this recipe's run.
        StopAsked: the run was asked to stop, and has kept its state.
    """
    process = this_process()
    if not process.is_main_process:
        with run_status.stop_signals() as asked:
            _steps(config, out, process, say=lambda line: None, asked=asked)
        return
    _check_folder(config, out, force=force)
    running = run_status.recorded(out, config.name, process.num_processes)
    with running, run_status.stop_signals() as asked:
        write_text(out / _RECIPE, json.dumps(config.as_dict(), indent=1) + "\n")
        _steps(config, out, process, say=_logged(say, out / "log.txt"), asked=asked)


def _steps(
    config: TrainConfig, out: Path, process: PartialState, *, say: Say, asked: Callable[[], bool]
) -> None:
    """A run from its first step to its last; every process takes each step, but for the evaluation."""
    started = time.monotonic()

    # The studies of each split: read from tables, or simulated where the recipe says so.
    studies = _studies(config, process, say, asked)
    say(", ".join(f"{len(part)} {split} images" for split, part in studies.items()))

    # Their images, decoded once per size, with the targets that the recipe's policy makes of the labels.
    images = recipe.source(config, studies, out / "pixels", process=process, say=say)

    def training_and_validation(size: int) -> tuple[Images, Images]:
        with process.main_process_first():  # it decodes what the others then read
            return images("train", size), images("valid", size)

    # The model before its first step, and the loss, which may depend on how frequent the findings are.
    model = recipe.new_model(config)
    supervision.prepare(config, model)
    loss = supervision.criterion(config, training_and_validation(config.phases[-1].size)[0].targets)

    # Training; then the weights of the epoch with the best validation AUROC, with one logit per finding.
    engine = Engine(model, config, out / "state", loss=loss, say=say, asked=asked)
    engine.fit(training_and_validation)
    model.load_state_dict(engine.best())
    supervision.narrow(config, model)

    # Thresholds from the validation studies, metrics on the test studies, and the model's folder.
    if process.is_main_process:
        torch.set_num_threads(os.cpu_count() or 1)  # the other processes are done
        say(report.table(evaluate_and_save(config, model, studies, images, out)))
        say(f"{out / 'model'}: {(time.monotonic() - started) / 60:.1f} minutes")


def _studies(
    config: TrainConfig, process: PartialState, say: Say, asked: Callable[[], bool]
) -> dict[str, Studies]:
    """The studies of each split; the main process writes what the others then find."""
    with process.main_process_first():
        try:
            return sources.read_studies(config, say=say, asked=asked)
        except run_status.StopAsked as error:
            stopped = error
    raise stopped  # only here: the others wait until the main process has left the block


def evaluate_and_save(
    config: TrainConfig, model: models.Classifier, studies: Mapping[str, Studies], images: Source, out: Path
) -> dict[str, Any]:
    """Fit thresholds on the validation studies, evaluate on the test studies, save; returns the metrics."""
    # Weights are stored in 16 bits: what is evaluated is what will be loaded.
    model = hub.load(hub.save(model, out / "model"))
    root, size = sources.data_root(config.data), model.spec.preprocessing.size
    parts = {
        split: evaluation.from_studies(
            studies[split], config.labels, scores_of(model, images(split, size)), split=split, root=root
        )
        for split in ("valid", "test")
    }
    stored = out / files.PREDICTIONS
    evaluation.write_predictions(stored, evaluation.join(list(parts.values())))
    # From the file: whoever has it can compute every metric again.
    (system,) = evaluation.fit_systems({config.name: evaluation.read_predictions(stored)}, rule="youden")
    model.spec = replace(model.spec, thresholds=tuple(round(float(t), 6) for t in system.thresholds))
    metrics = evaluation.evaluate(system.shown, model.spec.thresholds)
    about = {
        "dataset": "digital chest phantom" if config.data.phantom_patients else studies["test"].name,
        "thresholds": "largest sensitivity + specificity on the validation studies (Youden)",
        "recipe": config.as_dict(),
    }
    about |= _beside(config, studies, parts)
    hub.save(model, out / "model", evaluation={**about, **metrics}, card=report.card(config, studies))
    stored.replace(out / "model" / files.PREDICTIONS)
    return metrics


def _beside(
    config: TrainConfig, studies: Mapping[str, Studies], parts: Mapping[str, evaluation.Predictions]
) -> dict[str, Any]:
    """What patient data and further views add, where the recipe asks."""
    targets = {split: part.targets for split, part in parts.items()}
    scores = {split: part.scores for split, part in parts.items()}
    found: dict[str, Any] = {}
    if config.clinical:
        found["clinical"] = report.with_patient(studies, targets, scores)
    if config.studies:
        found["by_study"] = report.by_study(studies["test"], targets["test"], scores["test"], config.studies)
    return found


def _check_folder(config: TrainConfig, out: Path, *, force: bool) -> None:
    """Refuse a folder that holds something else than this recipe's run; with ``force``, make room."""
    if out.exists() and not out.is_dir():
        raise InputError(f"A run needs a folder, but {out} is a file; choose another --out.")
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    left = {name for name in present if not name.endswith(".part")} - _BEFORE
    if not left:
        return
    known = run_status.read_status(out) is not None
    if not known and not force:
        raise InputError(
            f"{out} holds files of something else than a run ({', '.join(sorted(left)[:3])}); choose "
            "another --out, or add --force."
        )
    other = _fingerprint(out / _RECIPE) not in ("", config.fingerprint)
    if other and not force:
        raise InputError(
            f"{out} holds a run of another recipe; choose another --out, or add --force to begin anew there."
        )
    if other and known:
        with run_status.claim(out):  # not below the feet of a process that trains there
            shutil.rmtree(out / "state", ignore_errors=True)


def _fingerprint(recipe: Path) -> str:
    """The fingerprint of the recipe that a run's folder keeps; "" where it cannot be read."""
    try:
        config: TrainConfig = record(TrainConfig, json.loads(recipe.read_text(encoding="utf8")), recipe.name)
    except (OSError, ValueError):  # an InputError is one: of a version that knew other settings
        return ""
    return config.fingerprint


def _logged(say: Say, log: Path) -> Say:
    """Say a line at once, and keep it in the log."""

    def say_and_keep(line: str) -> None:
        say(line)
        with (
            suppress(OSError),
            log.open("a", encoding="utf8") as file,
        ):  # a full disk costs the line, not the run
            file.write(line + "\n")

    return say_and_keep
