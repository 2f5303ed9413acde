"""Evaluation of models and their ensembles on a data set: score, measure, write the results to a folder."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from accelerate import PartialState

from cxrbench.data import Studies, read_chexpert
from cxrbench.errors import InputError
from cxrbench.evaluation import (
    Predictions,
    Row,
    align,
    at_thresholds,
    compare,
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
from cxrbench.inference import threshold
from cxrbench.labels import finding_columns, finding_indices, finding_key
from cxrbench.metrics import roc_curve
from cxrbench.models import Classifier
from cxrbench.models import folder as files
from cxrbench.processes import this_process
from cxrbench.terminal import ProgressBar
from cxrbench.writing import OwnFolder

__all__ = ["REPORT", "Evaluation", "EvaluationOptions", "evaluate_models"]

Say = Callable[[str], None]

REPORT: Final = "report.html"
_PAIRS: Final = "pairs.csv"
_ENSEMBLES: Final = "ensembles.csv"
_CURVES: Final = "curves.csv"


@dataclass(frozen=True)
class EvaluationOptions:
    """On which images models are evaluated, and how.

    Args:
        data: folder of a data set in CheXpert's form.
        table: in it: the images to evaluate on.
        valid: in it: the images to fit thresholds on; by default valid.csv, if there is one.
        view: "frontal", "lateral" or "all".
        rule: a key of `THRESHOLDS`.
        batch: images per pass.
        resamples: of the bootstrap.
    """

    data: Path
    table: str = "test.csv"
    valid: str | None = None
    view: str = "frontal"
    rule: str = "youden"
    batch: int = 16
    resamples: int = 1000


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
) -> Evaluation | None:
    """Score, measure, write; images that cannot be read are left out and reported.

    Args:
        models: of different names.
        options: images and settings.
        folder: of the results.
        force: replace files in it that an evaluation did not write.
        say: what to do with a sentence about what was left out.

    Returns:
        The result; None in processes other than the main one.

    Raises:
        InputError: a table, a name or an output that cannot be used.
    """
    threshold(options.rule)  # before hours of work
    process = this_process()
    splits = _splits(options, say)
    _check_names(models)
    out = OwnFolder(folder)
    out.check(_outputs(models), inputs=_inputs(splits, options), force=force)
    predictions: list[Predictions] = []
    problems: dict[Path, str] = {}
    notes: dict[Path, str] = {}
    for model in models:
        found, parts = _predictions(model, splits, options, out, process=process, say=say)
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
    _write_pairs(out, list(evaluated.values()), options.resamples)
    rows = _rows(predictions, options, out, say)
    best = ranked(rows) if rows else {}
    out.write_text(REPORT, report(f"{', '.join(evaluated)} on {options.data.name}", evaluated, rows, best))
    metrics = {name: values for name, (_, values) in evaluated.items()}
    return Evaluation(metrics, rows, best, sum(map(len, splits.values())), problems, notes)


def _splits(options: EvaluationOptions, say: Say) -> dict[str, Studies]:
    """Split → its studies: those to evaluate on, and those to fit thresholds on, if there are any."""
    splits = {}
    valid = options.data / (options.valid or "valid.csv")
    if options.valid or (valid.is_file() and options.table != "valid.csv"):
        splits["valid"] = _of_view(read_chexpert(valid, options.data), options.view, say)
    splits["test"] = _of_view(read_chexpert(options.data / options.table, options.data), options.view, say)
    if "valid" in splits:
        shared = set(splits["valid"].table["patient"]) & set(splits["test"].table["patient"])
        if shared:
            say(f"{len(shared)} patients choose the thresholds and are judged, too: figures are too good")
    return splits


def _of_view(studies: Studies, view: str, say: Say) -> Studies:
    """The images of one view, or all; those that do not tell theirs count as frontal."""
    for text in studies.notes:
        say(text)
    views = studies.table["view"].to_numpy(dtype=str)
    kept = np.where(views == "", "frontal", views) == view if view != "all" else np.ones(len(views), bool)
    if not kept.any():
        raise InputError(f"The data set holds no {view} image; choose another --view.")
    if not kept.all():
        say(f"images of another view left out: {(~kept).sum()}")
    return studies.take(kept)


def _outputs(models: Sequence[Classifier]) -> list[str]:
    """Every file that may be written, below --out."""
    each = (files.PREDICTIONS, files.EVALUATION, _CURVES)
    return [f"{model.spec.name}/{name}" for model in models for name in each] + [_PAIRS, _ENSEMBLES, REPORT]


def _inputs(splits: dict[str, Studies], options: EvaluationOptions) -> list[Path]:
    """Every file that is read: tables and images."""
    tables = [options.data / name for name in (options.table, options.valid or "valid.csv")]
    return tables + [path for studies in splits.values() for path in studies.paths]


def _check_names(models: Sequence[Classifier]) -> None:
    names = [model.spec.name for model in models]
    if len(set(names)) < len(names):
        raise InputError(f"Each model must be named once; got {', '.join(names)}.")


def _predictions(
    model: Classifier,
    splits: dict[str, Studies],
    options: EvaluationOptions,
    out: OwnFolder,
    *,
    process: PartialState,
    say: Say,
) -> tuple[Predictions, list[Scored]]:
    """What a model says of every split, also as a file; and the scores it is made of, one per split."""
    parts: list[Predictions] = []
    splits_scored: list[Scored] = []
    for split, studies in splits.items():
        with ProgressBar(f"{split} images scored by {model.spec.name}") as progress:
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
        parts.append(_matched(model, studies, split, scored.scores, options.data, say).take(~bad))
    predictions = join(parts)
    if not process.is_main_process:
        return predictions, splits_scored
    name = f"{model.spec.name}/{files.PREDICTIONS}"
    with out.draft(name) as own:
        write_predictions(own, predictions)
    # As read back: whoever has the file can work out every figure again.
    return read_predictions(out.folder / name, model.spec.name), splits_scored


def _matched(
    model: Classifier, studies: Studies, split: str, scores: np.ndarray, root: Path, say: Say
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
    chosen = np.asarray(scores)[:, [index for _, index in pairs]]
    return from_studies(studies, labels, chosen, split=split, root=root, name=model.spec.name)


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
        **evaluate(system.shown, system.thresholds, count=options.resamples),
    }
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    out.write_text(f"{model.spec.name}/{files.EVALUATION}", text)
    _write_curves(out, f"{model.spec.name}/{_CURVES}", system.shown)
    return system.shown, figures


def _write_curves(out: OwnFolder, name: str, test: Predictions) -> None:
    """Every point of every ROC curve, one row per distinct score; precision follows from the counts."""
    with out.open_text(name) as stream:
        table = csv.writer(stream)
        table.writerow(["finding", "threshold", "false_positive_rate", "sensitivity"])
        for index, label in enumerate(test.labels):
            curve = roc_curve(test.targets[:, index], test.scores[:, index])
            for point in zip(curve.thresholds, curve.false_positive_rate, curve.sensitivity, strict=True):
                table.writerow([label, *(f"{value:.6g}" for value in point)])


def _write_pairs(
    out: OwnFolder, evaluated: Sequence[tuple[Predictions, dict[str, Any]]], resamples: int
) -> None:
    """AUROC of one model minus another's on the images that both saw, by finding and on the mean."""
    lines: list[list[object]] = []
    for (one, _), (other, _) in combinations(evaluated, 2):
        first, second = align([one, other])
        cuts = np.full(len(first.labels), 0.5)  # AUROC uses none
        for mean, names in ((False, first.labels), (True, ("mean",))):
            gap = compare((first, cuts), (second, cuts), mean=mean, count=resamples)
            for name, *values in zip(names, gap.estimate, gap.low, gap.high, gap.p, strict=True):
                lines.append([one.name, other.name, name, *(f"{value:.6g}" for value in values)])
    if lines:
        with out.open_text(_PAIRS) as stream:
            table = csv.writer(stream)
            table.writerow(["first", "second", "finding", "difference", "low", "high", "p"])
            table.writerows(lines)


def _rows(scored: Sequence[Predictions], options: EvaluationOptions, out: OwnFolder, say: Say) -> list[Row]:
    """Models and ensembles, also as a table; none where there is one model, or nothing to fit them on."""
    if len(scored) < 2:
        return []
    if VALIDATION not in scored[0].splits:
        say("no ensembles: they are fitted on validation images; name them with --valid")
        return []
    systems = fit_systems({one.name: one for one in scored}, rule=options.rule)
    rows = [row(system) for system in systems]
    with out.open_text(_ENSEMBLES) as stream:
        table = csv.DictWriter(stream, list(asdict(rows[0])))
        table.writeheader()
        table.writerows(asdict(one) for one in rows)
    return rows
