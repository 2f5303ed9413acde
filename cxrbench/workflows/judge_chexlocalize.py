"""CheXlocalize's evaluation of saliency maps, segmentations and readers' points, on files in its forms."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.truth import (
    Masks,
    Runs,
    Saliency,
    read_chexlocalize,
    read_cutoffs,
    read_points,
    read_saliency,
    read_thresholds,
    saliency_files,
    segmentation_json,
)
from cxrbench.errors import InputError
from cxrbench.judge import enlarged, keep_above_cutoff, otsu_segmentation, threshold_segmentation
from cxrbench.judge.chexlocalize import (
    film_replicates,
    film_summary,
    intervals_by_patient,
    iou_results,
    map_hit,
    point_results,
    results_table,
)
from cxrbench.workflows.chexlocalize_tuning import (
    Files,
    known_probability,
    probability_tuning,
    threshold_tuning,
)
from cxrbench.writing import OwnFolder

__all__ = ["ChexlocalizeFiles", "judge_chexlocalize"]

SEGMENTATIONS: Final = "segmentations.json"
THRESHOLDS: Final = "tuning_results.csv"
CUTOFFS: Final = "probability_tuning_results.csv"
SUMMARY: Final = "summary.csv"


@dataclass(frozen=True)
class ChexlocalizeFiles:
    """What is evaluated: ``maps``, or ``segmentations`` and ``points``, or one of the two.

    Args:
        truth: JSON of the true segmentations, or of the annotations as polygons.
        maps: folder of saliency pickles.
        segmentations: JSON of predicted segmentations, or of readers' polygons.
        points: JSON of readers' most representative points.
        thresholds: ``tuning_results.csv``: maps are cut at these instead of by Otsu.
        cutoffs: ``probability_tuning_results.csv``: below these probabilities nothing is segmented.
        validation_maps: folder of saliency pickles of validation films, on which thresholds are chosen.
        validation_truth: their true segmentations.
        tune: what is chosen on the validation films: ``thresholds``, ``cutoffs``.
        all_films: also judge missed and false segmentations, with an IoU of 0.
        seed: of the resamples.
    """

    truth: Path
    maps: Path | None = None
    segmentations: Path | None = None
    points: Path | None = None
    thresholds: Path | None = None
    cutoffs: Path | None = None
    validation_maps: Path | None = None
    validation_truth: Path | None = None
    tune: tuple[str, ...] = ("thresholds",)
    all_films: bool = False
    seed: int = 0

    def check(self) -> None:
        """Check that the files fit together.

        Raises:
            InputError: nothing, or twice the same, to evaluate; or a setting without what it is for.
        """
        given = bool(self.maps) + bool(self.segmentations or self.points)
        if given != 1:
            raise InputError(
                "Give --maps (a folder of saliency pickles), or else --segmentations or --points (JSON); got "
                f"{'both' if given else 'none of them'}."
            )
        if (self.validation_maps is None) != (self.validation_truth is None):
            raise InputError("--validation-maps and --validation-truth belong together; give both.")
        needs_maps = {
            "--thresholds": self.thresholds,
            "--cutoffs": self.cutoffs,
            "--validation-maps": self.validation_maps,
        }
        if self.maps is None and any(needs_maps.values()):
            option = next(name for name, value in needs_maps.items() if value)
            raise InputError(f"{option} is for saliency maps; give --maps with it.")
        for name, known in (("thresholds", self.thresholds), ("cutoffs", self.cutoffs)):
            if known and self.validation_maps and name in self.tune:
                raise InputError(f"The {name} are given and to be chosen; leave out --{name} or its --tune.")


def judge_chexlocalize(
    out: Path,
    files: ChexlocalizeFiles,
    *,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    force: bool = False,
) -> pd.DataFrame:
    """Evaluate as CheXlocalize does, and write its files and the intervals by patient.

    Args:
        out: folder of the results: ``iou_…`` and ``hitmiss_…`` in CheXlocalize's form, ``segmentations.json``
            of maps, thresholds that were chosen, and ``summary.csv``.
        files: what is evaluated.
        progress: called with (done, total) after each map.
        say: called with each note on what was left out.
        force: overwrite files in ``out`` that this program did not write.

    Returns:
        One row per metric (``iou``, ``hitmiss``) and finding: ``films`` (those where it is defined),
        ``mean``, ``film_low``, ``film_mean``, ``film_high`` (CheXlocalize's bootstrap), ``patient_low``,
        ``patient_high``.

    Raises:
        InputError: files that do not fit together or cannot be read.
    """
    files.check()
    folder = OwnFolder(out)
    inputs = (files.truth, files.segmentations, files.points, files.thresholds, files.cutoffs)
    folder.check(_names(files), inputs=[path for path in inputs if path], force=force)
    truth = read_chexlocalize(files.truth)
    tables = []
    if files.maps is not None:
        predicted, hits = _judge_maps(files, truth, folder, progress or (lambda _done, _total: None), say)
        _say_left_out(truth, predicted, say)
        folder.write_text(SEGMENTATIONS, segmentation_json(predicted))
        tables.append(_write(folder, "hitmiss", "", hits, files.seed))
    else:
        predicted = read_chexlocalize(files.segmentations) if files.segmentations else {}
        if files.points is not None:
            points = point_results(truth, read_points(files.points))
            tables.append(_write(folder, "hitmiss", "humanbenchmark_", points, files.seed))
    if files.maps or files.segmentations:
        overlap = iou_results(truth, predicted, true_positives_only=not files.all_films)
        tables.append(_write(folder, "iou", "", overlap, files.seed))
    summary = pd.concat(tables, ignore_index=True)
    folder.write_text(SUMMARY, summary.to_csv(index=False))
    return summary


def _judge_maps(
    files: ChexlocalizeFiles,
    truth: Masks,
    folder: OwnFolder,
    progress: Callable[[int, int], None],
    say: Callable[[str], None],
) -> tuple[Masks, pd.DataFrame]:
    """Segment each map, and see whether its first largest pixel hits; one map is held at a time."""
    assert files.maps is not None
    pickles = saliency_files(files.maps)
    validation = saliency_files(files.validation_maps) if files.validation_maps else {}
    steps = count(1)
    total = len(pickles) + len(validation) * len(files.tune)

    def step() -> None:
        progress(next(steps), total)

    thresholds, cutoffs = _tuned(files, validation, folder, step)
    by_otsu = sorted({finding for _, finding in pickles} - thresholds.keys())
    if thresholds and by_otsu:
        say(f"without a threshold of their own, and cut at Otsu's: {', '.join(by_otsu)}")
    segmentations: dict[str, dict[str, Runs]] = {}
    hits: dict[str, dict[str, float]] = {film: {} for film in truth}
    for (film, finding), path in pickles.items():
        saliency = read_saliency(path, film, finding)
        relevance = enlarged(saliency.map, saliency.size)
        found = _segmented(saliency, relevance, thresholds.get(finding), cutoffs.get(finding))
        segmentations.setdefault(film, {})[finding] = Runs.of(found)
        if film in truth:
            hits[film][finding] = map_hit(relevance, truth[film].get(finding), f"{film}, {finding}")
        step()
    return segmentations, results_table(hits)


def _tuned(
    files: ChexlocalizeFiles, validation: Files, folder: OwnFolder, step: Callable[[], None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Thresholds and cutoffs by finding: those of the files, or chosen on validation films and written."""
    thresholds = read_thresholds(files.thresholds) if files.thresholds else {}
    cutoffs = read_cutoffs(files.cutoffs) if files.cutoffs else {}
    if files.validation_truth is not None:
        known = read_chexlocalize(files.validation_truth)
        if "thresholds" in files.tune:
            folder.write_text(THRESHOLDS, threshold_tuning(validation, known, step).to_csv(index=False))
            thresholds = read_thresholds(folder.folder / THRESHOLDS)
        if "cutoffs" in files.tune:
            folder.write_text(CUTOFFS, probability_tuning(validation, known, step).to_csv(index=False))
            cutoffs = read_cutoffs(folder.folder / CUTOFFS)
    return thresholds, cutoffs


def _segmented(
    saliency: Saliency, relevance: np.ndarray, threshold: float | None, cutoff: float | None
) -> np.ndarray:
    """The segmentation of an enlarged map, (H, W) bool."""
    if threshold is None:
        found = otsu_segmentation(relevance)
    else:
        found = threshold_segmentation(relevance, threshold)
    return found if cutoff is None else keep_above_cutoff(found, known_probability(saliency), cutoff)


def _say_left_out(truth: Masks, predicted: Masks, say: Callable[[str], None]) -> None:
    if lacking := sorted(set(truth) - set(predicted)):
        say(f"{len(lacking)} of {len(truth)} films have no map and count for no hit, the first {lacking[0]}")
    if unknown := sorted(set(predicted) - set(truth)):
        say(f"{len(unknown)} films with maps are not among the true segmentations, the first {unknown[0]}")


def _write(folder: OwnFolder, metric: str, reader: str, results: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write CheXlocalize's three files of a metric; its rows of the summary."""
    films = results.reset_index()[[*results.columns, "img_id"]]
    folder.write_text(f"{metric}_{reader}results_per_cxr.csv", films.to_csv(index=False))
    replicates = film_replicates(results, seed=seed)
    folder.write_text(f"{metric}_{reader}bootstrap_results_per_cxr.csv", replicates.to_csv(index=False))
    summary = film_summary(replicates)
    folder.write_text(f"{metric}_summary_results.csv", summary.to_csv(index=False))
    by_patient = intervals_by_patient(results)
    by_film = summary.set_index("name").loc[results.columns]
    return pd.DataFrame(
        {
            "metric": metric,
            "finding": results.columns,
            "films": results.notna().sum().to_numpy(),
            "mean": by_patient.estimate,
            "film_low": by_film["lower"].to_numpy(),
            "film_mean": by_film["mean"].to_numpy(),
            "film_high": by_film["upper"].to_numpy(),
            "patient_low": by_patient.low,
            "patient_high": by_patient.high,
        }
    )


def _names(files: ChexlocalizeFiles) -> list[str]:
    """Names of the files that will be written."""
    metrics = [("iou", "")] if files.maps or files.segmentations else []
    metrics += [("hitmiss", "" if files.maps else "humanbenchmark_")] if files.maps or files.points else []
    names = [SUMMARY, *([SEGMENTATIONS] if files.maps else [])]
    for metric, reader in metrics:
        names += [f"{metric}_{reader}results_per_cxr.csv", f"{metric}_summary_results.csv"]
        names.append(f"{metric}_{reader}bootstrap_results_per_cxr.csv")
    if files.validation_maps:
        names += [{"thresholds": THRESHOLDS, "cutoffs": CUTOFFS}[each] for each in files.tune]
    return names
