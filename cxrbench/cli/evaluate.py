"""``cxrbench evaluate``: metrics with confidence intervals of models and their ensembles on a data set."""

import argparse
from pathlib import Path

from cxrbench.cli.models import load
from cxrbench.cli.say import name_files, note
from cxrbench.data.datasets import find_folder
from cxrbench.inference import threshold
from cxrbench.workflows.evaluate import REPORT, Evaluation, EvaluationOptions, evaluate_models

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Evaluate, print the metrics and the images that could not be read."""
    threshold(options.rule)  # before models are loaded
    folder, form = find_folder(options.data)
    settings = EvaluationOptions(
        folder,
        form=options.form or form,
        table=options.table,
        valid=options.valid,
        view=options.view,
        rule=options.rule,
        batch=options.batch,
        resamples=options.resamples,
    )
    models = [load(name) for name in options.models]
    evaluation = evaluate_models(models, settings, options.out, force=options.force, say=note)
    if evaluation is None:
        return 0
    _print(evaluation, options.out)
    name_files(
        [f"{path}: {text}" for path, text in evaluation.notes.items()],
        f"of {evaluation.images} images were read with a note",
    )
    name_files(
        list(evaluation.problems.values()),
        f"of {evaluation.images} images could not be read and were left out",
    )
    return 1 if evaluation.problems else 0


def _print(evaluation: Evaluation, out: Path) -> None:
    for name, metrics in evaluation.models.items():
        auroc = metrics["means"]["auroc"]
        value = "undefined" if auroc["value"] is None else f"{auroc['value']:.4f}"
        interval = "" if auroc["low"] is None else f" [{auroc['low']:.4f}, {auroc['high']:.4f}]"
        print(f"{name}\tmean AUROC {value}{interval} over {auroc['findings']} findings")
        if (films := metrics["training_films"]) is not None and films["unlike"]:
            note(
                f"{name}: {films['unlike']} of {films['images']} test images are unlike its training films "
                f"(median distance {films['median_distance']:.2f}, where 1 is the limit): its scores may not "
                "hold for them"
            )
    for row in evaluation.rows:
        print(
            f"{row.title:24} AUROC {row.auroc:.4f}  F1 {row.f1:.4f}  macro-F1 {row.f1_macro:.4f}  "
            f"Hamming {row.hamming_loss:.4f}"
        )
    for metric, title in evaluation.best.items():
        print(f"best by {metric.replace('_', ' ')}: {title}")
    print(f"report: {out / REPORT}")
