"""``cxrbench evaluate``: metrics with intervals of models on a data set, and of their ensembles."""

import argparse
from pathlib import Path

from cxrbench.cli.models import load
from cxrbench.cli.say import name_files, note
from cxrbench.inference import threshold
from cxrbench.workflows.evaluate import REPORT, Evaluation, EvaluationOptions, evaluate_models

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Evaluate, print the metrics, name the images that could not be read."""
    threshold(options.rule)  # before models are loaded
    settings = EvaluationOptions(
        options.data,
        table=options.table,
        valid=options.valid,
        view=options.view,
        rule=options.rule,
        batch=options.batch,
        resamples=options.resamples,
    )
    models = [load(name) for name in options.models]
    found = evaluate_models(models, settings, options.out, force=options.force, say=note)
    if found is None:
        return 0
    _print(found, options.out)
    name_files(
        [f"{path}: {text}" for path, text in found.notes.items()],
        f"of {found.images} images were read with a note",
    )
    name_files(list(found.problems.values()), f"of {found.images} images could not be read and were left out")
    return 1 if found.problems else 0


def _print(found: Evaluation, out: Path) -> None:
    for name, metrics in found.models.items():
        auroc = metrics["means"]["auroc"]
        value = "undefined" if auroc["value"] is None else f"{auroc['value']:.4f}"
        ends = "" if auroc["low"] is None else f" [{auroc['low']:.4f}, {auroc['high']:.4f}]"
        print(f"{name}\tmean AUROC {value}{ends} over {auroc['findings']} findings")
    for row in found.rows:
        print(
            f"{row.title:24} AUROC {row.auroc:.4f}  F1 {row.f1:.4f}  macro-F1 {row.f1_macro:.4f}  "
            f"Hamming {row.hamming_loss:.4f}"
        )
    for metric, title in found.best.items():
        print(f"first by {metric.replace('_', ' ')}: {title}")
    print(f"report: {out / REPORT}")
