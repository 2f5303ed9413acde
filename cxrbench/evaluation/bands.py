"""ROC and precision–recall curves for plotting: few vertices, bootstrap bands, counts at thresholds."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.metrics.intervals import resamples
from cxrbench.metrics.ranking import pr_curve, roc_curve

__all__ = ["Band", "Tally", "bands", "cuts", "tally", "thinned"]

_BLOCKS: Final = 512  # of scores, between which resampled curves are joined
_GRID: Final = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class Band:
    """A curve and where 95 % of its resamples lie, at 101 places of its x-axis; NaN where undefined.

    Args:
        x: (V,) false-positive rate, or recall.
        y: (V,) true-positive rate, or precision.
        grid: (101,) from 0 to 1.
        low: (101,) lower edge at these places.
        high: (101,) upper edge.
    """

    x: np.ndarray
    y: np.ndarray
    grid: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Tally:
    """Positives and negatives that score at or above each cut: (T,) whole numbers each."""

    hits: np.ndarray
    false_alarms: np.ndarray


def cuts(*scores: np.ndarray, marked: np.ndarray | None = None) -> np.ndarray:
    """Thresholds worth stopping at, ascending: every 0.002, where scores lie dense, and the marked ones.

    Models whose scores crowd near 0 need fine steps there, well-spread ones do not.

    Args:
        scores: (N,) in [0, 1] each, of the models that share the thresholds.
        marked: exact thresholds that must be among them.

    Returns:
        (T,) float64 from 0 to 1, T ≤ 2,000 and as many as there are marked ones.
    """
    dense = [
        np.quantile(values.astype(np.float64), np.linspace(0, 1, 251)) for values in scores[:5] if len(values)
    ]
    parts = [np.linspace(0, 1, 501), *(np.round(values, 5) for values in dense)]
    if marked is not None:
        parts.append(np.asarray(marked, np.float64).ravel())
    return np.unique(np.clip(np.concatenate(parts), 0, 1))


def tally(targets: np.ndarray, scores: np.ndarray, at: np.ndarray) -> Tally:
    """How many images are called present at each threshold.

    Args:
        targets: (N,) of 1, 0 and NaN for what is left out.
        scores: (N,) in [0, 1].
        at: (T,) thresholds; called is what scores at or above.
    """
    scores = scores.astype(np.float64)
    counted = []
    for kind in (1, 0):
        own = np.sort(scores[targets == kind])
        counted.append(len(own) - np.searchsorted(own, at, side="left"))
    return Tally(*counted)


def bands(
    targets: np.ndarray, scores: np.ndarray, patients: np.ndarray, *, count: int = 200, seed: int = 0
) -> tuple[Band, Band]:
    """The ROC and the precision–recall curve of one finding, each with its band.

    The band is pointwise: at each false-positive rate (or recall) the 2.5th to the 97.5th percentile of the
    resampled curves. Resampled curves are read at 512 quantiles of the scores.

    Args:
        targets: (N,) of 1, 0 and NaN for what is left out.
        scores: (N,) in [0, 1].
        patients: (N,) whose image it is; what is resampled.
        count: resamples.
        seed: of the draws.

    Returns:
        ROC and precision–recall; all NaN where there is no positive or no negative.
    """
    known = ~np.isnan(targets)
    truth, values = targets[known] == 1, scores[known].astype(np.float64)
    roc, pr = roc_curve(targets, scores), pr_curve(targets, scores)
    curves = (thinned(roc.false_positive_rate, roc.sensitivity), thinned(pr.recall, pr.precision))
    if truth.all() or not truth.any():
        nothing = np.full(len(_GRID), np.nan)
        return Band(*curves[0], _GRID, nothing, nothing), Band(*curves[1], _GRID, nothing, nothing)
    rates, shares = _resampled(truth, values, patients[known], count, seed)
    edges = [np.quantile(drawn, [0.025, 0.975], axis=0) for drawn in (rates, shares)]
    return Band(*curves[0], _GRID, *edges[0]), Band(*curves[1], _GRID, *edges[1])


def thinned(x: np.ndarray, y: np.ndarray, limit: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """At most ``limit`` vertices of a curve: its corners, or of too many some, evenly along its length."""
    if len(x) <= 2:
        return x, y
    dx, dy = np.diff(x), np.diff(y)
    corner = np.concatenate(([True], np.abs(dx[1:] * dy[:-1] - dx[:-1] * dy[1:]) > 1e-15, [True]))
    x, y = x[corner], y[corner]
    if len(x) <= limit:
        return x, y
    along = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))))
    picked = np.unique(np.searchsorted(along, np.linspace(0, along[-1], limit)).clip(max=len(x) - 1))
    return x[picked], y[picked]


def _resampled(
    truth: np.ndarray, values: np.ndarray, patients: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """True-positive rates and precisions (R, 101) on the grid, in every resample."""
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True)) + 1  # after each tie
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, min(_BLOCKS, len(ends))).astype(int))]
    starts = np.concatenate(([0], ends[:-1]))
    present = truth[order].astype(np.float32)[:, None]
    rates, shares = [], []
    for weights in resamples(patients, count, seed):
        drawn = weights[order]
        hits = np.cumsum(np.add.reduceat(drawn * present, starts, axis=0), axis=0, dtype=np.float64)
        called = np.cumsum(np.add.reduceat(drawn, starts, axis=0), axis=0, dtype=np.float64)
        for column in range(hits.shape[1]):
            found, seen = hits[:, column], called[:, column]
            false = seen - found
            if not (found[-1] and false[-1]):
                continue  # a resample of one kind only has no curve
            recall = found / found[-1]
            fallout = np.concatenate(([0.0], false / false[-1]))
            rates.append(np.interp(_GRID, fallout, np.concatenate(([0.0], recall))))
            # At recall 0 nothing is called yet: the first positive found tells the precision.
            first = np.searchsorted(recall, np.maximum(_GRID, 1e-9)).clip(max=len(recall) - 1)
            shares.append(found[first] / np.maximum(seen[first], 1))
    return np.array(rates), np.array(shares)
