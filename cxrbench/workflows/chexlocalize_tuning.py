"""CheXlocalize's thresholds of maps and cutoffs of probabilities, chosen on validation films."""

from collections.abc import Callable, Iterator, Mapping
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.data.truth import CHEXLOCALIZE, Masks, Runs, Saliency, read_saliency
from cxrbench.errors import InputError
from cxrbench.judge import (
    PROBABILITY_CUTOFFS,
    SEGMENTATION_THRESHOLDS,
    cutoff_means,
    enlarged,
    otsu_segmentation,
    threshold_means,
)
from cxrbench.judge.chexlocalize import check_sizes

__all__ = ["Files", "Progress", "known_probability", "probability_tuning", "threshold_tuning"]

# (film, finding) → pickle.
Files = Mapping[tuple[str, str], Path]
Progress = Callable[[], None]


def threshold_tuning(files: Files, truth: Masks, step: Progress) -> pd.DataFrame:
    """The threshold with the largest mIoU on true positives, as CheXlocalize's ``tuning_results.csv``.

    Args:
        files: (film, finding) → pickle; films that ``truth`` lacks are left out.
        truth: of the validation films.
        step: called after each map.

    Returns:
        ``threshold``, ``task``; one row per finding, the threshold NaN where no film has both.
    """
    rows = []
    for finding in sorted(CHEXLOCALIZE):
        chosen = {film: path for (film, name), path in files.items() if name == finding and film in truth}
        maps, sizes = tee(_maps(chosen, finding, step))
        means = threshold_means(
            (enlarged(each.map, each.size) for each in maps),
            (_mask(truth, each.film, each.size, finding).mask() for each in sizes),
        )
        best = np.nan if np.isnan(means).all() else SEGMENTATION_THRESHOLDS[int(np.nanargmax(means))]
        rows.append((np.round(best, 1), finding))
    return pd.DataFrame(rows, columns=["threshold", "task"])


def probability_tuning(files: Files, truth: Masks, step: Progress) -> pd.DataFrame:
    """MIoU of Otsu's segmentations at each cutoff: CheXlocalize's ``probability_tuning_results.csv``.

    All films count, also those that ``truth`` lacks: they have no finding.

    Args:
        files: (film, finding) → pickle.
        truth: of the validation films.
        step: called after each map.

    Returns:
        ``prob_threshold``, ``mIoU``, ``task``; nine rows per finding.

    Raises:
        InputError: a pickle without a probability.
    """
    parts = []
    for finding in sorted(CHEXLOCALIZE):
        chosen = {film: path for (film, name), path in files.items() if name == finding}
        segmentations, probabilities = [], []
        for each in _maps(chosen, finding, step):
            segmentations.append(Runs.of(otsu_segmentation(enlarged(each.map, each.size))))
            probabilities.append(known_probability(each))
        sizes = [runs.size for runs in segmentations]
        masks = [_mask(truth, film, size, finding) for film, size in zip(chosen, sizes, strict=True)]
        means = cutoff_means(
            (runs.mask() for runs in segmentations), probabilities, (runs.mask() for runs in masks)
        )
        cutoffs = np.round(PROBABILITY_CUTOFFS, 1)
        parts.append(pd.DataFrame({"prob_threshold": cutoffs, "mIoU": means, "task": finding}))
    return pd.concat(parts, ignore_index=True)


def known_probability(saliency: Saliency) -> "float | np.floating[Any]":
    """The probability that belongs to a map.

    Raises:
        InputError: the file has none.
    """
    if np.isnan(saliency.probability):
        raise InputError(
            f"{saliency.film}, {saliency.finding}: cutoffs of the probability need the entry 'prob' in each "
            "pickle; this one has none."
        )
    return saliency.probability


def _maps(files: Mapping[str, Path], finding: str, step: Progress) -> Iterator[Saliency]:
    for film, path in files.items():
        yield read_saliency(path, film, finding)
        step()


def _mask(truth: Masks, film: str, size: tuple[int, int], finding: str) -> Runs:
    """The mask of a finding, empty where it is not there.

    Raises:
        InputError: it has another size than the map's film.
    """
    runs = truth.get(film, {}).get(finding)
    if runs is not None:
        check_sizes(size, runs.size, f"{film}, {finding}")
    return Runs.empty(size) if runs is None else runs
