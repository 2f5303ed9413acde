"""From a recipe to a model folder: read the studies, train, evaluate on the test studies, save."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from cxrbench import assets, evaluation, models
from cxrbench.data import Studies, phantom
from cxrbench.models import folder as files
from cxrbench.models import hub
from cxrbench.models.spec import PHANTOMS
from cxrbench.processes import this_process
from cxrbench.terminal import write_line
from cxrbench.training import recipe, report, sources, supervision
from cxrbench.training.config import TrainConfig
from cxrbench.training.dataset import Images
from cxrbench.training.loop.engine import Engine
from cxrbench.training.objective.losses import LOSSES
from cxrbench.training.recipe import ImageSource
from cxrbench.training.run import status as run_status
from cxrbench.training.run.folder import check_folder, logged, write_recipe
from cxrbench.training.transfer.heads import fold, widen
from cxrbench.training.validation import scores_of
from cxrbench.workflows.feature_statistics import measure_features

__all__ = ["evaluate_and_save", "run", "train"]

Say = Callable[[str], None]


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
    check_folder(config, out, force=force)
    running = run_status.recorded(out, config.name, process.num_processes)
    with running, run_status.stop_signals() as should_stop:
        write_recipe(out, config)
        _steps(config, out, process, say=logged(say, out), should_stop=should_stop)


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
    three_classes = LOSSES[config.loss].outputs == 3  # absent, present, uncertain
    if three_classes:
        widen(model)
    loss = supervision.criterion(config, training_and_validation(config.phases[-1].size)[0].targets)

    # Training; then the weights of the epoch with the best validation AUROC, with one logit per finding.
    engine = Engine(model, config, out / "state", loss=loss, say=say, should_stop=should_stop)
    engine.fit(training_and_validation)
    model.load_state_dict(engine.best())
    if three_classes:
        fold(model)

    # Thresholds from the validation studies, metrics on the test studies, and the model's folder.
    if process.is_main_process:
        torch.set_num_threads(os.cpu_count() or 1)  # the other processes are done
        metrics = evaluate_and_save(config, model, studies, images, out, say=say)
        say(report.table(metrics))
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
    *,
    say: Say = write_line,
) -> dict[str, Any]:
    """Fit thresholds on the validation studies, evaluate on the test studies, save; return the metrics."""
    # Weights are stored in 16 bits: evaluate the model as it will be loaded.
    model = hub.load(hub.save(model, out / "model"))
    root, size = sources.data_root(config.data), model.spec.preprocessing.size
    model.feature_statistics = measure_features(model, images("train", size), images("valid", size), say=say)
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
    model.spec = replace(
        model.spec,
        thresholds=tuple(round(float(t), 6) for t in system.thresholds),
        learned_from=PHANTOMS if phantom.holds_phantoms(root) else studies["train"].name,
    )
    metrics = evaluation.evaluate(system.shown, model.spec.thresholds)
    about = {
        "dataset": "digital chest phantom" if config.data.phantom_patients else studies["test"].name,
        "thresholds": "largest sensitivity + specificity on the validation studies (Youden)",
        "recipe": config.as_dict(),
    }
    targets = {split: part.targets for split, part in parts.items()}
    scores = {split: part.scores for split, part in parts.items()}
    optional = report.optional_metrics(config, studies, targets, scores)
    stated = {**about, **optional, **metrics}
    hub.save(model, out / "model", evaluation=stated, card=report.card(config, studies))
    stored.replace(out / "model" / files.PREDICTIONS)
    return metrics
