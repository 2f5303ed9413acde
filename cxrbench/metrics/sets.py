"""Example-based multi-label metrics, one value per image; the mean is that of the data set.

Targets are (N, L) of 1, 0 and NaN; labels that are NaN are ignored.
"""

import numpy as np

from cxrbench.errors import InputError
from cxrbench.metrics.checks import check_calls, check_scores

__all__ = ["coverage", "hamming_loss", "label_ranking_precision", "subset_accuracy"]


def hamming_loss(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Hamming loss: the share of the known labels of an image that are predicted wrongly.

    Args:
        targets: (N, L) of 1, 0 and NaN.
        calls: (N, L) bool.

    Returns:
        (N,) in [0, 1], lower is better; NaN where an image has no known label.
    """
    truth, called = check_calls(targets, calls)
    known = ~np.isnan(truth)
    wrong = known & (called != (truth == 1))
    return _mean(wrong, known)


def subset_accuracy(targets: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """1 where all known labels of an image are predicted correctly, else 0; NaN where it has none.

    Args:
        targets: (N, L) of 1, 0 and NaN.
        calls: (N, L) bool.
    """
    loss = hamming_loss(targets, calls)
    return np.where(np.isnan(loss), np.nan, loss == 0)


def label_ranking_precision(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Label ranking average precision (LRAP): the mean precision at the true labels, ranked by score.

    Precision at a label = (true labels scored as high or higher) ÷ (labels scored as high or higher).

    Args:
        targets: (N, L) of 1, 0 and NaN.
        scores: (N, L), higher means more likely.

    Returns:
        (N,) in (0, 1]; NaN for an image without a true label (scikit-learn: 1).

    Reference: Schapire & Singer 2000, doi:10.1023/A:1007649029923.
    """
    truth, rank, true_rank = _ranks(targets, scores)
    present = truth == 1
    precision = np.divide(true_rank, rank, out=np.zeros(rank.shape), where=present)
    return _mean(precision, present)


def coverage(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Coverage error: number of labels, ranked by score, down to the last true one; ties count fully.

    Args:
        targets: (N, L) of 1, 0 and NaN.
        scores: (N, L), higher means more likely.

    Returns:
        (N,) from 0 (no true label) to L; NaN where an image has no known label.

    Reference: Tsoumakas et al. 2010, doi:10.1007/978-0-387-09823-4_34.
    """
    truth, rank, _ = _ranks(targets, scores)
    depth = np.where(truth == 1, rank, 0).max(1, initial=0).astype(np.float64)
    return np.where(np.isnan(truth).all(1), np.nan, depth)


def _mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Means of rows over the entries counted; NaN where there are none."""
    count = counted.sum(1)
    means = np.full(len(count), np.nan)
    np.divide(np.where(counted, values, 0).sum(1), count, out=means, where=count > 0)
    return means


def _ranks(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets; number of known labels of the image that score as high or higher; number of true ones."""
    truth, values = check_scores(targets, scores)
    if not truth.shape[1]:
        raise InputError("Ranking labels needs at least one label; got images without labels.")
    known, present = ~np.isnan(truth), truth == 1
    rank, true_rank = np.zeros(truth.shape, np.int64), np.zeros(truth.shape, np.int64)
    for label in range(truth.shape[1]):  # (N, L) at a time: (N, L, L) would be large
        above = (values[:, [label]] >= values) & known[:, [label]]
        rank += above
        true_rank += above & present[:, [label]]
    return truth, rank, true_rank
