"""``cxrbench predict``: scores of radiographs."""

import argparse
import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cxrbench.cli.data import read_named
from cxrbench.cli.models import load
from cxrbench.cli.say import note
from cxrbench.data import is_table, read_image
from cxrbench.data.datasets import read_table
from cxrbench.errors import InputError
from cxrbench.inference import (
    FilmMeasures,
    Notice,
    film_notices,
    measure_film,
    sigmoid,
    stream_rows,
    without_distance,
)
from cxrbench.terminal import ProgressBar, write_line
from cxrbench.writing import check_targets, open_text

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Score images, and say before each score what was noticed of its film; unreadable ones are skipped."""
    paths = _listed(options.images, options.root)
    if options.data is not None:
        parts = read_named(options.data, options.form, options.split)
        paths = list(dict.fromkeys([*paths, *(path for studies in parts for path in studies.paths)]))
    if not paths:
        raise InputError("There is no image to score; name images, a table of images, or --data.")
    if options.csv is not None:
        check_targets([options.csv], inputs=[*options.images, *paths], force=options.force)
    model = load(options.model)
    labels = [model.spec.labels[index] for index in model.spec.findings]
    thresholds = [model.spec.thresholds[index] for index in model.spec.findings]
    title = model.spec.title or model.spec.name
    unmeasured = without_distance([] if model.feature_statistics else [title])
    read: list[tuple[Path, FilmMeasures]] = []
    skipped: list[str] = []
    with ExitStack() as stack:
        table = None
        if options.csv is not None:
            table = csv.writer(stack.enter_context(open_text(options.csv)))
            table.writerow(["image", *labels, "distance", "notices"])
        progress = stack.enter_context(ProgressBar("images processed", final_line=False))
        done = 0
        for row, (logits, distance) in enumerate(stream_rows(model, _readable(paths, read, skipped))):
            note(unmeasured if row == 0 else "")  # of images that cannot be read there is nothing to say
            scores = sigmoid(logits)[list(model.spec.findings)]
            path, measures = read[row]
            notices = film_notices(measures, {title: distance})
            if table is not None:
                table.writerow([path, *_cells(scores, distance, notices)])
            for notice in notices:  # before the scores that they are about
                note(f"{path.name}: {notice.text}")
            _print_scores(path, labels, scores, thresholds, brief=len(paths) > 1)
            progress(done := row + 1 + len(skipped), len(paths))
        if not read:  # within the block, so that no empty table is written
            raise InputError(
                f"None of the {len(paths)} images could be read." if len(paths) > 1 else skipped[0]
            )
        if done < len(paths):  # unreadable images after the last score
            progress(len(paths), len(paths))
    note(f"{len(skipped)} of {len(paths)} images skipped" if skipped else "")
    return 1 if skipped else 0


def _listed(images: Sequence[Path], root: Path | None) -> list[Path]:
    """The given paths, each once; a label table is replaced by the images it lists."""
    paths: list[Path] = []
    for path in images:
        if is_table(path):
            studies = read_table(path, root)
            for text in studies.notes:
                note(text)
            paths += studies.paths
        else:
            paths.append(path)
    unique = list(dict.fromkeys(paths))
    note(
        f"images given more than once, scored once: {len(paths) - len(unique)}"
        if len(unique) < len(paths)
        else ""
    )
    return unique


def _readable(
    paths: Sequence[Path], read: list[tuple[Path, FilmMeasures]], skipped: list[str]
) -> Iterator[np.ndarray]:
    """Yield the pixels of each readable image; report the others, and notes of the reader."""
    for path in paths:
        try:
            radiograph = read_image(path, name=str(path))
        except InputError as error:
            skipped.append(str(error))
            if len(paths) > 1:
                note(f"skipped: {error}")
            continue
        note(f"{path.name}: {radiograph.note}" if radiograph.note else "")
        read.append((path, measure_film(radiograph.pixels, note=radiograph.note)))
        yield radiograph.pixels


def _cells(scores: np.ndarray, distance: float, notices: Sequence[Notice]) -> list[str]:
    """The cells of a row after the path: scores, distance ("" where not known), titles of the notices."""
    far = "" if math.isnan(distance) else f"{distance:.4f}"
    return [*(f"{score:.6f}" for score in scores), far, "; ".join(notice.title for notice in notices)]


def _print_scores(
    path: Path, labels: Sequence[str], scores: np.ndarray, thresholds: Sequence[float], *, brief: bool
) -> None:
    """Print the scores of an image: a line of predicted findings if ``brief``, else a table."""
    rows = sorted(zip(labels, scores, thresholds, strict=True), key=lambda row: -row[1])
    if brief:
        predicted = ", ".join(
            f"{label} {score:.2f}" for label, score, threshold in rows if score >= threshold
        )
        write_line(f"{path}\t{predicted or 'no finding above its threshold'}")
        return
    print(f"{'finding':<28} {'score':>6} {'threshold':>10}")
    for label, score, threshold in rows:
        print(f"{label:<28} {score:6.3f} {threshold:10.3f}{'  above' if score >= threshold else ''}")
