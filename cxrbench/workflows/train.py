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
from cxrbench.training.recipe import ImageSource
from cxrbench.training.records import record
from cxrbench.training.run import status as run_status
from cxrbench.writing import write_text

__all__ = ["evaluate_and_save", "run", "train"]

Say = Callable[[str], None]

_RECIPE: Final = "recipe.json"  # recipe of the run, in its folder
_FILES_BEFORE_START: Final = {"recipe.toml", "console.txt", "lock"}  # written by the Train page


def run(config: TrainConfig, out: Path | None = None, *, force: bool = False) -> None:
    """Train in ``out``, by default in the folder of runs; if a stop is requested, print how to resume.

    Arguments and errors as of `train`.
    """
    try:
        train(config, out or assets.runs() / config.name, force=force)
    except run_status.StopRequested as stopped:
        if this_process().is_main_process:
            print(stopped)


def train(config: TrainConfig, out: Path, *, force: bool = False, say: Say = write_line) -> None:
    """Read the studies, train, evaluate and save; a stopped run resumes.

    Args:
        config: the recipe.
        out: folder of the run: ``model`` is the result, ``state`` is needed to resume, ``pixels`` holds the
            decoded images, ``log.txt`` the progress, ``status.json`` the status.
        force: train even if the folder holds other files; replaces the state of a run of another recipe.
        say: called with each line of progress, which is also written to the log.

    Raises:
        InputError: the folder holds something other than a run of this recipe.
        StopRequested: a stop was requested; the state is saved.
    """
    process = this_process()
    if not process.is_main_process:
        with run_status.stop_signals() as should_stop:
            _steps(config, out, process, say=lambda line: None, should_stop=should_stop)
        return
    _check_folder(config, out, force=force)
    running = run_status.recorded(out, config.name, process.num_processes)
    with running, run_status.stop_signals() as should_stop:
        write_text(out / _RECIPE, json.dumps(config.as_dict(), indent=1) + "\n")
        _steps(config, out, process, say=_logged(say, out / "log.txt"), should_stop=should_stop)


def _steps(
    config: TrainConfig, out: Path, process: PartialState, *, say: Say, should_stop: Callable[[], bool]
) -> None:
    """A run from its first step to its last; every process takes each step, but for the evaluation."""
    started = time.monotonic()

    # The studies of each split: read from tables, or simulated where the recipe says so.
    studies = _studies(config, process, say, should_stop)
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
    engine = Engine(model, config, out / "state", loss=loss, say=say, should_stop=should_stop)
    engine.fit(training_and_validation)
    model.load_state_dict(engine.best())
    supervision.narrow(config, model)

    # Thresholds from the validation studies, metrics on the test studies, and the model's folder.
    if process.is_main_process:
        torch.set_num_threads(os.cpu_count() or 1)  # the other processes are done
        say(report.table(evaluate_and_save(config, model, studies, images, out)))
        say(f"{out / 'model'}: {(time.monotonic() - started) / 60:.1f} minutes")


def _studies(
    config: TrainConfig, process: PartialState, say: Say, should_stop: Callable[[], bool]
) -> dict[str, Studies]:
    """Read the studies of each split; the main process writes a phantom before the others read it."""
    with process.main_process_first():
        try:
            return sources.read_studies(config, say=say, should_stop=should_stop)
        except run_status.StopRequested as error:
            stopped = error
    raise stopped  # outside the block, which the other processes wait for


def evaluate_and_save(
    config: TrainConfig,
    model: models.Classifier,
    studies: Mapping[str, Studies],
    images: ImageSource,
    out: Path,
) -> dict[str, Any]:
    """Fit thresholds on the validation studies, evaluate on the test studies, save; return the metrics."""
    # Weights are stored in 16 bits: evaluate the model as it will be loaded.
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
    # From the file, so that every metric can be reproduced from it.
    (system,) = evaluation.fit_systems({config.name: evaluation.read_predictions(stored)}, rule="youden")
    model.spec = replace(model.spec, thresholds=tuple(round(float(t), 6) for t in system.thresholds))
    metrics = evaluation.evaluate(system.shown, model.spec.thresholds)
    about = {
        "dataset": "digital chest phantom" if config.data.phantom_patients else studies["test"].name,
        "thresholds": "largest sensitivity + specificity on the validation studies (Youden)",
        "recipe": config.as_dict(),
    }
    about |= _optional_evaluations(config, studies, parts)
    hub.save(model, out / "model", evaluation={**about, **metrics}, card=report.card(config, studies))
    stored.replace(out / "model" / files.PREDICTIONS)
    return metrics


def _optional_evaluations(
    config: TrainConfig, studies: Mapping[str, Studies], parts: Mapping[str, evaluation.Predictions]
) -> dict[str, Any]:
    """Evaluation with clinical data and by study, if enabled in the recipe."""
    targets = {split: part.targets for split, part in parts.items()}
    scores = {split: part.scores for split, part in parts.items()}
    results: dict[str, Any] = {}
    if config.clinical:
        results["clinical"] = report.with_patient(studies, targets, scores)
    if config.studies:
        results["by_study"] = report.by_study(
            studies["test"], targets["test"], scores["test"], config.studies
        )
    return results


def _check_folder(config: TrainConfig, out: Path, *, force: bool) -> None:
    """Refuse a folder that holds something other than a run of this recipe, unless ``force``."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file.")
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    others = {name for name in present if not name.endswith(".part")} - _FILES_BEFORE_START
    if not others:
        return
    known = run_status.read_status(out) is not None
    if not known and not force:
        raise InputError(
            f"{out} holds files that are not of a run ({', '.join(sorted(others)[:3])}); choose "
            "another --out, or add --force."
        )
    other = _fingerprint(out / _RECIPE) not in ("", config.fingerprint)
    if other and not force:
        raise InputError(
            f"{out} holds a run of another recipe; choose another --out, or add --force to restart it."
        )
    if other and known:
        with run_status.claim(out):  # refuses while a process trains there
            shutil.rmtree(out / "state", ignore_errors=True)


def _fingerprint(recipe: Path) -> str:
    """Fingerprint of the recipe in a run's folder; "" if it cannot be read."""
    try:
        config: TrainConfig = record(TrainConfig, json.loads(recipe.read_text(encoding="utf8")), recipe.name)
    except (OSError, ValueError):  # InputError is a ValueError: a recipe of a version with other settings
        return ""
    return config.fingerprint


def _logged(say: Say, log: Path) -> Say:
    """A function that passes a line to ``say`` and appends it to the log."""

    def say_and_log(line: str) -> None:
        say(line)
        with (
            suppress(OSError),
            log.open("a", encoding="utf8") as file,
        ):  # a full disk must not stop the run
            file.write(line + "\n")

    return say_and_log
