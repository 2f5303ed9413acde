"""Metrics as functions of sample weights, which ``intervals.bootstrap`` resamples.

Each function here looks at targets and scores once and returns a `Statistic`: weights (N, R) → (R, …). A
weight of 2 is an image that is there twice; with whole weights the results are those of the plain metric, to
the last bit for AUROC.
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

    Images are summed into the blocks between the distinct scores of the rarer kind by one sparse product;
    what is left is a cumulative sum over that kind alone. Sums are of whole numbers, hence exact.

    Args:
        targets: (N, L) of 1, 0, and NaN for what is left out.
        scores: (N, L), any real numbers.
    """
    truth, values = check_scores(targets, scores)
    blocks = [_Blocks.of(truth[:, i], values[:, i]) for i in range(truth.shape[1])]

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.stack([_auroc(block, weights) for block in blocks], axis=1)

    return statistic


def _auroc(blocks: "_Blocks", weights: np.ndarray) -> np.ndarray:
    """(R,) the share of pairs in order, counted in half pairs, all in whole numbers."""
    rarer, tied, below, total = blocks.sums(weights)
    twice_won = (rarer * (2 * below + tied)).sum(0)
    pairs = rarer.sum(0) * total
    return np.divide(twice_won, 2 * pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


class _Blocks:
    """One finding's images, sorted once: the distinct scores of the rarer kind, and the other kind between.

    Where negatives are rarer, scores are mirrored and kinds swapped: the share of pairs in order is the same.
    """

    def __init__(self, rarer: csr_array, common: csr_array) -> None:
        self.rarer = rarer  # (T, N): which images of the rarer kind have the t-th distinct score
        self.common = common  # (2T + 1, N): which of the other kind lie below it, tied with it, …, above all

    @classmethod
    def of(cls, truth: np.ndarray, scores: np.ndarray) -> "_Blocks":
        """From targets (N,) and scores (N,)."""
        count = len(truth)
        positives, negatives = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
        if len(negatives) < len(positives):
            positives, negatives, scores = negatives, positives, -scores
        levels, of_positive = np.unique(scores[positives], return_inverse=True)
        before = np.searchsorted(levels, scores[negatives], side="left")
        through = np.searchsorted(levels, scores[negatives], side="right")
        return cls(
            _indicator(of_positive, positives, len(levels), count),
            _indicator(before + through, negatives, 2 * len(levels) + 1, count),
        )

    def sums(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Weights (N, R) → of each score (T, R): the rarer kind, the other tied, below; and all (R,)."""
        rarer = (self.rarer @ weights).astype(np.float64)
        common = (self.common @ weights).astype(np.float64)
        upto = np.cumsum(common, axis=0)
        return rarer, common[1::2], upto[:-1:2], upto[-1]


def _indicator(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> csr_array:
    # float32 as the weights are: whole numbers up to 2²⁴ are exact, more images than any data set has.
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width))


def average_precision(targets: np.ndarray, scores: np.ndarray) -> Statistic:
    """Average precision of each finding, weights (N, R) → (R, L); arguments as of `auroc`."""
    truth, values = check_scores(targets, scores)
    findings = [_steps(truth[:, i], values[:, i]) for i in range(truth.shape[1])]

    def one(hits: csr_array, called: csr_array, weights: np.ndarray) -> np.ndarray:
        gained = (hits @ weights).astype(np.float64)  # (T, R) positives at each distinct score, descending
        seen = np.cumsum((called @ weights).astype(np.float64), axis=0)
        found = np.cumsum(gained, axis=0)
        precision = np.divide(found, seen, out=np.zeros(seen.shape), where=seen > 0)
        total = gained.sum(0)
        return np.divide((gained * precision).sum(0), total, out=np.full(len(total), np.nan), where=total > 0)

    return lambda weights: np.stack([one(*finding, weights) for finding in findings], axis=1)


def _steps(truth: np.ndarray, scores: np.ndarray) -> tuple[csr_array, csr_array]:
    """For the distinct scores of positives, descending: the positives of each, and all it newly calls."""
    count = len(truth)
    positives, known = np.flatnonzero(truth == 1), np.flatnonzero(~np.isnan(truth))
    levels, of_positive = np.unique(-scores[positives], return_inverse=True)
    at = np.searchsorted(levels, -scores[known], side="left")
    reached = at < len(levels)  # what scores below the last positive is never called
    return (
        _indicator(of_positive, positives, len(levels), count),
        _indicator(at[reached], known[reached], len(levels), count),
    )


def decision(metric: Callable[[Counts], np.ndarray], targets: np.ndarray, calls: np.ndarray) -> Statistic:
    """A metric of the confusion matrix of each finding, weights (N, R) → (R, L).

    Args:
        metric: a function of counts, such as ``DECISIONS["f1"].compute``.
        targets: (N, L) of 1, 0, and NaN for what is left out.
        calls: (N, L) bool.
    """
    truth, called = check_calls(targets, calls)
    present, absent = truth == 1, truth == 0
    kinds = [called & present, called & absent, ~called & present, ~called & absent]
    # Sparse (4L, N): an image is in one cell per finding. Unlike BLAS: no threads that wait for busy cores.
    members = csr_array(np.concatenate(kinds, axis=1).T.astype(np.float32))

    def statistic(weights: np.ndarray) -> np.ndarray:
        counts = (members @ weights).astype(np.float64).reshape(4, -1, weights.shape[1])
        return metric(Counts(*counts.transpose(0, 2, 1)))

    return statistic


def mean(values: np.ndarray) -> Statistic:
    """The weighted mean of values that images have, NaN left out: (N,) or (N, L), weights → (R,) or (R, L).

    For the figures that come one per image (Hamming loss, coverage) and for squared errors (Brier).
    """
    values = np.asarray(values, np.float64)
    table = values.reshape(len(values), -1)
    known = csr_array(~np.isnan(table).T, dtype=np.float64)  # (L, N)
    filled = csr_array(np.nan_to_num(table).T)

    def statistic(weights: np.ndarray) -> np.ndarray:
        heavy = weights.astype(np.float64)
        whole = known @ heavy
        means = np.divide(filled @ heavy, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        return means.T.reshape(-1, *values.shape[1:])

    return statistic


def plain(
    metric: Callable[[np.ndarray, np.ndarray], np.ndarray], targets: np.ndarray, answers: np.ndarray
) -> Statistic:
    """Any metric of targets and answers (N, L), by repeating images: general, and slow."""

    def statistic(weights: np.ndarray) -> np.ndarray:
        copies = weights.astype(np.intp).T
        rows = np.arange(len(targets))
        return np.stack([metric(targets[r], answers[r]) for r in (np.repeat(rows, c) for c in copies)])

    return statistic


def difference(first: Statistic, second: Statistic) -> Statistic:
    """First minus second, in the same resamples: what tells two models apart that saw the same images."""
    return lambda weights: first(weights) - second(weights)


def macro(statistic: Statistic) -> Statistic:
    """The mean over the findings defined on the studies as they are: (R, L) → (R, 1).

    A resample that leaves one of those findings undefined leaves the mean undefined, too: means over other
    findings cannot be compared.
    """

    def averaged(weights: np.ndarray) -> np.ndarray:
        whole = statistic(np.ones((len(weights), 1), np.float32))[0]
        kept = ~np.isnan(whole)
        values = statistic(weights)[:, kept]
        return values.mean(1, keepdims=True) if kept.any() else np.full((len(values), 1), np.nan)

    return averaged


def calibration_error(targets: np.ndarray, scores: np.ndarray, *, bins: int = 10) -> Statistic:
    """Expected calibration error of each finding, weights (N, R) → (R, L); see `calibration`.

    Of a bin only Σ w (target − score) is needed: n_b ÷ N times its gap is |that| ÷ N.

    Args:
        targets: (N, L) of 1, 0, and NaN for what is left out.
        scores: (N, L) in [0, 1].
        bins: of equal width.
    """
    truth, values = check_scores(targets, scores)
    count, findings = truth.shape
    known = ~np.isnan(truth)
    images, finding = np.nonzero(known)
    counted = csr_array(known.T, dtype=np.float64)  # (L, N)
    score = values[known].astype(np.float64)
    cells = finding * bins + np.minimum((score * bins).astype(np.intp), bins - 1)
    gaps = csr_array((truth[known] - score, (cells, images)), shape=(findings * bins, count))

    def statistic(weights: np.ndarray) -> np.ndarray:
        heavy = weights.astype(np.float64)
        error = np.abs(gaps @ heavy).reshape(findings, bins, -1).sum(1).T
        whole = (counted @ heavy).T
        return np.divide(error, whole, out=np.full(whole.shape, np.nan), where=whole > 0)

    return statistic


def within(rows: np.ndarray, statistic: Statistic) -> Statistic:
    """A statistic of some of the images, as one of all: rows (N,) bool, or positions."""
    return lambda weights: statistic(weights[rows])
