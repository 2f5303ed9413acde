"""``cxrbench judge --truth chexlocalize --maps``: CheXlocalize's evaluation of files in its forms."""

import argparse

import pandas as pd

from cxrbench.cli.say import note
from cxrbench.data.truth import truth_file
from cxrbench.terminal import ProgressBar
from cxrbench.workflows.judge_chexlocalize import ChexlocalizeFiles, judge_chexlocalize

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Evaluate CheXlocalize's files; print a table, and write its files and all intervals."""
    files = ChexlocalizeFiles(
        truth_file("chexlocalize", options.annotations),
        maps=options.maps,
        segmentations=options.segmentations,
        points=options.points,
        thresholds=options.thresholds,
        cutoffs=options.cutoffs,
        validation_maps=options.validation_maps,
        validation_truth=options.validation_truth,
        tune=tuple(dict.fromkeys(options.tune or ("thresholds",))),
        all_films=options.all_films,
        seed=options.seed,
    )
    with ProgressBar("maps judged") as progress:
        summary = judge_chexlocalize(options.out, files, progress=progress, say=note, force=options.force)
    for metric, rows in summary.groupby("metric", sort=False):
        print(f"{_TITLES[str(metric)]}: mean (95 % interval by film, as published; by patient)\n")
        print(_as_text(rows), end="\n\n")
    note(f"written: {options.out}: summary.csv, and files in CheXlocalize's form")
    return 0


_TITLES = {"iou": "IoU", "hitmiss": "hit rate"}


def _as_text(rows: pd.DataFrame) -> str:
    table = pd.DataFrame(
        {
            "finding": rows["finding"],
            "films": rows["films"],
            "mean": rows["mean"].map("{:.3f}".format),
            "by film": _interval(rows, "film"),
            "by patient": _interval(rows, "patient"),
        }
    )
    return str(table.replace({"nan": "–", "nan–nan": "–"}).to_string(index=False))


def _interval(rows: pd.DataFrame, kind: str) -> list[str]:
    bounds = zip(rows[f"{kind}_low"], rows[f"{kind}_high"], strict=True)
    return [f"{low:.3f}–{high:.3f}" for low, high in bounds]
