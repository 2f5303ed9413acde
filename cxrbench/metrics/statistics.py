"""Metrics as functions of sample weights, which ``intervals.bootstrap`` resamples.

Each function sorts targets and scores once and returns a `Statistic`: weights (N, R) → (R, …). A weight of 2
stands for an image that occurs twice; for integer weights the results equal those of the metric on repeated
images, for AUROC bit for bit.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from cxrbench.metrics.checks import check_calls, check_scores
from cxrbench.metrics.decisions import Counts
from cxrbench.metrics.intervals import Statistic

__all__ = [
    "auroc",
    "average_precision",
    "calibration_error",
    "decision",
    "difference",
    "macro",
    "mean",
    "plain",
    "within",
]


def auroc(targets: np.ndarray, scores: np.ndarray) -> Statistic:
    """AUROC of each finding, weights (N, R) → (R, L).

    One sparse product sums the images between the distinct scores of the rarer class; what remains is a
    cumulative sum over that class. All sums are of integers, hence exact.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L), any real numbers.
    """
    truth, values = check_scores(targets, scores)
    blocks = [_Blocks.from_scores(truth[:, i], values[:, i]) for i in range(truth.shape[1])]

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.stack([_auroc(block, weights) for block in blocks], axis=1)

    return statistic


def _auroc(blocks: "_Blocks", weights: np.ndarray) -> np.ndarray:
    """Share of correctly ordered pairs (R,); pairs are doubled to count ties in integers."""
    rarer, tied, below, total = blocks.sums(weights)
    twice_won = (rarer * (2 * below + tied)).sum(0)
    pairs = rarer.sum(0) * total
    share = np.full(len(pairs), np.nan)
    np.divide(twice_won, 2 * pairs, out=share, where=pairs > 0)
    return share


class _Blocks:
    """Images of one finding, sorted once: distinct scores of the rarer class, the other class between.

    Where negatives are rarer, scores are negated and classes swapped: the share of ordered pairs is the same.
    """

    def __init__(self, rarer: csr_array, common: csr_array) -> None:
        self.rarer = rarer  # (T, N): images of the rarer class with the t-th distinct score
        self.common = common  # (2T + 1, N): images of the other class below it, tied with it, …, above all

    @classmethod
    def from_scores(cls, truth: np.ndarray, scores: np.ndarray) -> "_Blocks":
        """Sort the images of one finding: targets (N,), scores (N,)."""
        count = len(truth)
        positives, negatives = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
        if len(negatives) < len(positives):
            positives, negatives, scores = negatives, positives, -scores
        levels, level = np.unique(scores[positives], return_inverse=True)
        before = np.searchsorted(levels, scores[negatives], side="left")
        through = np.searchsorted(levels, scores[negatives], side="right")
        return cls(
            _indicator(level, positives, len(levels), count),
            _indicator(before + through, negatives, 2 * len(levels) + 1, count),
        )

    def sums(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Sum weights (N, R) per score: the rarer class, the other tied and below (T, R); its total (R,)."""
        rarer = (self.rarer @ weights).astype(np.float64)
        common = (self.common @ weights).astype(np.float64)
        upto = np.cumsum(common, axis=0)
        return rarer, common[1::2], upto[:-1:2], upto[-1]


def _indicator(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> csr_array:
    # float32 like the weights: exact for integers up to 2²⁴, more images than any data set has.
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width))


def average_precision(targets: np.ndarray, scores: np.ndarray) -> Statistic:
    """Average precision of each finding, weights (N, R) → (R, L); arguments as for `auroc`."""
    truth, values = check_scores(targets, scores)
    findings = [_indicators(truth[:, i], values[:, i]) for i in range(truth.shape[1])]
    return lambda weights: np.stack([_average_precision(*pair, weights) for pair in findings], axis=1)


def _average_precision(positives: csr_array, images: csr_array, weights: np.ndarray) -> np.ndarray:
    gained = (positives @ weights).astype(np.float64)  # (T, R) positives at each distinct score, descending
    called = np.cumsum((images @ weights).astype(np.float64), axis=0)
    tp = np.cumsum(gained, axis=0)
    precision = np.divide(tp, called, out=np.zeros(called.shape), where=called > 0)
    total = gained.sum(0)
    average = np.full(len(total), np.nan)
    np.divide((gained * precision).sum(0), total, out=average, where=total > 0)
    return average


def _indicators(truth: np.ndarray, scores: np.ndarray) -> tuple[csr_array, csr_array]:
    """Positives, and all images, at each distinct score of positives, descending: (T, N) each.

    An image between two of these scores belongs to the lower one; images below all of them to none.
    """
    count = len(truth)
    positives, known = np.flatnonzero(truth == 1), np.flatnonzero(~np.isnan(truth))
    levels, level = np.unique(-scores[positives], return_inverse=True)
    nearest = np.searchsorted(levels, -scores[known], side="left")
    reached = nearest < len(levels)
    return (
        _indicator(level, positives, len(levels), count),
        _indicator(nearest[reached], known[reached], len(levels), count),
    )


def decision(metric: Callable[[Counts], np.ndarray], targets: np.ndarray, calls: np.ndarray) -> Statistic:
    """A metric of the confusion matrix of each finding, weights (N, R) → (R, L).

    Args:
        metric: a function of counts, such as ``DECISIONS["f1"].compute``.
        targets: (N, L) of 1, 0 and NaN (ignored).
        calls: (N, L) bool.
    """
    truth, called = check_calls(targets, calls)
    present, absent = truth == 1, truth == 0
    cells = [called & present, called & absent, ~called & present, ~called & absent]
    # Sparse (4L, N): an image is in one cell per finding. Unlike BLAS: no threads that wait for busy cores.
    members = csr_array(np.concatenate(cells, axis=1).T.astype(np.float32))

    def statistic(weights: np.ndarray) -> np.ndarray:
        counts = (members @ weights).astype(np.float64).reshape(4, -1, weights.shape[1])
        return metric(Counts(*counts.transpose(0, 2, 1)))

    return statistic


def mean(values: np.ndarray) -> Statistic:
    """Weighted mean of per-image values (N,) or (N, L), ignoring NaN: weights → (R,) or (R, L).

    For example-based metrics (Hamming loss, coverage) and squared errors (Brier).
    """
    values = np.asarray(values, np.float64)
    table = values.reshape(len(values), -1)
    known = csr_array(~np.isnan(table).T, dtype=np.float64)  # (L, N)
    filled = csr_array(np.nan_to_num(table).T)

    def statistic(weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(np.float64)
        total = known @ weights
        means = np.full(total.shape, np.nan)
        np.divide(filled @ weights, total, out=means, where=total > 0)
        return means.T.reshape(-1, *values.shape[1:])

    return statistic


def plain(
    metric: Callable[[np.ndarray, np.ndarray], np.ndarray], targets: np.ndarray, answers: np.ndarray
) -> Statistic:
    """Statistic of any metric of targets and answers (N, L), by repeating images: general but slow."""

    def statistic(weights: np.ndarray) -> np.ndarray:
        copies = weights.astype(np.intp).T
        rows = np.arange(len(targets))
        repeated = (np.repeat(rows, counts) for counts in copies)
        return np.stack([metric(targets[index], answers[index]) for index in repeated])

    return statistic


def difference(first: Statistic, second: Statistic) -> Statistic:
    """First minus second statistic on the same resamples: the paired difference of two models."""
    return lambda weights: first(weights) - second(weights)


def macro(statistic: Statistic) -> Statistic:
    """Mean over the findings that are defined on the original studies: (R, L) → (R, 1).

    It is undefined on a resample that leaves one of these findings undefined: means over different findings
    are not comparable.
    """

    def averaged(weights: np.ndarray) -> np.ndarray:
        estimate = statistic(np.ones((len(weights), 1), np.float32))[0]
        defined = ~np.isnan(estimate)
        values = statistic(weights)[:, defined]
        return values.mean(1, keepdims=True) if defined.any() else np.full((len(values), 1), np.nan)

    return averaged


def calibration_error(targets: np.ndarray, scores: np.ndarray, *, bins: int = 10) -> Statistic:
    """Expected calibration error of each finding, weights (N, R) → (R, L); see `calibration`.

    Only Σ w (target − score) per bin is needed: its absolute value ÷ N is n_b ÷ N times the gap of the bin.

    Args:
        targets: (N, L) of 1, 0 and NaN (ignored).
        scores: (N, L) in [0, 1].
        bins: number of bins, of equal width.
    """
    truth, values = check_scores(targets, scores)
    findings = truth.shape[1]
    known = ~np.isnan(truth)
    images, finding = np.nonzero(known)
    counted = csr_array(known.T, dtype=np.float64)  # (L, N)
    score = values[known].astype(np.float64)
    cells = finding * bins + np.minimum((score * bins).astype(np.intp), bins - 1)
    gaps = csr_array((truth[known] - score, (cells, images)), shape=(findings * bins, len(truth)))

    def statistic(weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(np.float64)
        gap = np.abs(gaps @ weights).reshape(findings, bins, -1).sum(1).T
        count = (counted @ weights).T
        error = np.full(count.shape, np.nan)
        np.divide(gap, count, out=error, where=count > 0)
        return error

    return statistic


def within(rows: np.ndarray, statistic: Statistic) -> Statistic:
    """Extend a statistic of some images to weights of all images; rows (N,) bool, or positions."""
    return lambda weights: statistic(weights[rows])
