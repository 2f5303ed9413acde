"""Evaluates models and their ensembles on a data set, and writes the results to a folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState

from cxrbench.data import Studies
from cxrbench.errors import InputError
from cxrbench.evaluation import (
    Predictions,
    Row,
    at_thresholds,
    evaluate,
    fit_systems,
    from_studies,
    join,
    ranked,
    read_predictions,
    row,
    write_predictions,
)
from cxrbench.evaluation.scoring import Scored, score_files
from cxrbench.evaluation.systems import VALIDATION
from cxrbench.figures.report import report
from cxrbench.inference import LIMIT, threshold
from cxrbench.labels import finding_columns, finding_indices, finding_key
from cxrbench.models import Classifier
from cxrbench.models import folder as files
from cxrbench.processes import this_process
from cxrbench.terminal import ProgressBar
from cxrbench.workflows.evaluation_data import EvaluationOptions, Listener, Say, read_splits
from cxrbench.workflows.evaluation_files import (
    REPORT,
    output_files,
    write_curves,
    write_ensembles,
    write_pairs,
)
from cxrbench.writing import OwnFolder

__all__ = ["REPORT", "Evaluation", "EvaluationOptions", "evaluate_models"]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found, beside the files that it wrote.

    Args:
        models: name → metrics, as in evaluation.json.
        rows: models and ensembles; none where there is one model, or nothing to fit ensembles on.
        best: metric → title of the best row by it.
        images: how many were to be read.
        problems: file → why it could not be read.
        notes: file → what was noticed when it was read.
    """

    models: Mapping[str, Mapping[str, Any]]
    rows: Sequence[Row]
    best: Mapping[str, str]
    images: int
    problems: Mapping[Path, str]
    notes: Mapping[Path, str]


def evaluate_models(
    models: Sequence[Classifier],
    options: EvaluationOptions,
    folder: Path,
    *,
    force: bool = False,
    say: Say,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation | None:
    """Score, measure, write; images that cannot be read are left out and reported.

    Args:
        models: of different names.
        options: images and settings.
        folder: of the results.
        force: replace files in it that an evaluation did not write.
        say: what to do with a sentence about what was left out.
        progress: as in `Listener`.

    Returns:
        The result; None in processes other than the main one.

    Raises:
        InputError: a table, a name or an output that cannot be used.
    """
    threshold(options.rule)  # before hours of work
    process = this_process()
    data = read_splits(options, say)
    _check_names(models)
    out = OwnFolder(folder)
    names = [model.spec.name for model in models]
    out.check(output_files(names), inputs=data.files, force=force)
    listener = Listener(say, progress)
    predictions: list[Predictions] = []
    problems: dict[Path, str] = {}
    notes: dict[Path, str] = {}
    for model in models:
        found, parts = _predictions(model, data.splits, options, out, process=process, listener=listener)
        predictions.append(found)
        for part in parts:
            problems |= part.problems
            notes |= part.notes
    if not process.is_main_process:
        return None
    evaluated = {
        model.spec.name: _evaluated(model, found, options, out)
        for model, found in zip(models, predictions, strict=True)
    }
    write_pairs(out, [test for test, _ in evaluated.values()], options.resamples)
    rows = _rows(predictions, options, out, say)
    best = ranked(rows) if rows else {}
    out.write_text(REPORT, report(f"{', '.join(evaluated)} on {options.data.name}", evaluated, rows, best))
    metrics = {name: values for name, (_, values) in evaluated.items()}
    return Evaluation(metrics, rows, best, sum(map(len, data.splits.values())), problems, notes)


def _check_names(models: Sequence[Classifier]) -> None:
    names = [model.spec.name for model in models]
    if len(set(names)) < len(names):
        raise InputError(f"Each model must be named once; got {', '.join(names)}.")


def _predictions(
    model: Classifier,
    splits: Mapping[str, Studies],
    options: EvaluationOptions,
    out: OwnFolder,
    *,
    process: PartialState,
    listener: Listener,
) -> tuple[Predictions, list[Scored]]:
    """What a model says of every split, also as a file; and the scores it is made of, one per split."""
    parts: list[Predictions] = []
    splits_scored: list[Scored] = []
    for split, studies in splits.items():
        what = f"{split} images scored by {model.spec.name}"
        with ProgressBar(what) as bar:
            progress = _told(bar, what, listener)
            scored = score_files(
                model, studies.paths, out.folder / "scores", batch=options.batch, progress=progress
            )
        bad = scored.unreadable
        splits_scored.append(scored)
        if bad.all():
            raise InputError(
                f"None of the {len(bad)} images in {options.data} could be read. "
                f"{next(iter(scored.problems.values()))}"
            )
        parts.append(_matched(model, studies, split, scored, options.data, listener.say).take(~bad))
    predictions = join(parts)
    if not process.is_main_process:
        return predictions, splits_scored
    name = f"{model.spec.name}/{files.PREDICTIONS}"
    with out.draft(name) as own:
        write_predictions(own, predictions)
    # As read back: whoever has the file can work out every figure again.
    return read_predictions(out.folder / name, model.spec.name), splits_scored


def _told(bar: ProgressBar, what: str, listener: Listener) -> Callable[[int, int], None]:
    """Progress that both the bar and the listener are told of."""

    def progress(done: int, total: int) -> None:
        bar(done, total)
        if listener.progress:
            listener.progress(what, done, total)

    return progress


def _matched(
    model: Classifier, studies: Studies, split: str, scored: Scored, root: Path, say: Say
) -> Predictions:
    """The findings that model and data set both name, in the data set's spelling; blank counts as absent."""
    ours = finding_columns(model.spec.labels)
    pairs = [(label, ours[finding_key(label)]) for label in studies.labels if finding_key(label) in ours]
    if not pairs:
        raise InputError(
            f"{model.spec.name} and the data set share no finding: it answers for "
            f"{', '.join(label for label in model.spec.labels if label)}."
        )
    labels = tuple(label for label, _ in pairs)
    for name, others in ((model.spec.name, studies.labels), ("the data set", model.spec.labels)):
        theirs = {finding_key(label) for label in labels}
        unknown = [label for label in others if label and finding_key(label) not in theirs]
        if unknown:
            say(f"left out, as {name} says nothing of them: {', '.join(unknown)}")
    return from_studies(
        studies,
        labels,
        scored.scores[:, [index for _, index in pairs]],
        split=split,
        root=root,
        name=model.spec.name,
        distances=scored.distances,
    )


def _evaluated(
    model: Classifier, predictions: Predictions, options: EvaluationOptions, out: OwnFolder
) -> tuple[Predictions, dict[str, Any]]:
    """A model's metrics, also as files."""
    name = model.spec.name
    if VALIDATION in predictions.splits:
        (system,) = fit_systems({name: predictions}, rule=options.rule)
        rule = threshold(options.rule)
        origin = f"{rule.title} on the validation images: {rule.summary}"
    else:
        stored = [model.spec.thresholds[i] for i in finding_indices(predictions.labels, model.spec.labels)]
        system = at_thresholds(name, predictions.split("test"), stored)
        origin = "those stored with the model."
    figures = {
        "model": model.spec.name,
        "revision": model.revision,
        "dataset": options.data.name,
        "thresholds": origin,
        "training_films": _distances(system.shown),
        **evaluate(system.shown, system.thresholds, count=options.resamples),
    }
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    out.write_text(f"{model.spec.name}/{files.EVALUATION}", text)
    write_curves(out, system.shown)
    return system.shown, figures


def _distances(predictions: Predictions) -> dict[str, Any] | None:
    """How far images are from the model's training films; None where the model does not state it."""
    known = predictions.distances[~np.isnan(predictions.distances)]
    if not known.size:
        return None
    return {
        "images": int(known.size),
        "unlike": int((known > LIMIT).sum()),
        "median_distance": round(float(np.median(known)), 4),
    }


def _rows(scored: Sequence[Predictions], options: EvaluationOptions, out: OwnFolder, say: Say) -> list[Row]:
    """Models and ensembles, also as a table; none where there is one model, or nothing to fit them on."""
    if len(scored) < 2:
        return []
    if VALIDATION not in scored[0].splits:
        say("no ensembles: they are fitted on validation images; name them with --valid")
        return []
    systems = fit_systems({one.name: one for one in scored}, rule=options.rule)
    rows = [row(system) for system in systems]
    write_ensembles(out, rows)
    return rows
