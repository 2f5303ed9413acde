"""Deletion and insertion towards the twin: pixels go over to those of the same patient without the finding.

Unlike black or blurred pixels, the twin's leave the picture a radiograph.
"""

from typing import Final

import numpy as np
from torch import Tensor

from cxrbench.judge.curves import Curve, replacement_curve, scores_of
from cxrbench.judge.judged_map import Score
from cxrbench.judge.maps import defined

__all__ = [
    "LEAST_CHANGE",
    "TWIN_SHARES",
    "best_deletion",
    "best_insertion",
    "best_order",
    "deletion_towards_twin",
    "insertion_towards_twin",
    "relative_to_best",
]

TWIN_SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)  # of the pixels
LEAST_CHANGE: Final = 0.1  # of the logit: a share of less than that would be noise


def deletion_towards_twin(
    image: Tensor,
    twin: Tensor,
    relevance: np.ndarray,
    score: Score,
    *,
    shares: tuple[float, ...] = TWIN_SHARES,
    seeds: int = 3,
) -> Curve | None:
    """The share of the true change that comes about while an image's pixels go over to the twin's.

    (y(x) − y(x_s)) / (y(x) − y(x′)); the most relevant share s of the pixels of x_s comes from the twin x′.
    Where taking the finding away raises the logit, the least relevant pixels go first.

    Args:
        image: x, (C, H, W).
        twin: x′, (C, H, W).
        relevance: (H, W), signed.
        score: images (N, C, H, W) → logits (N,).
        shares: of the pixels, ascending.
        seeds: number of random orders of equal pixels.

    Returns:
        The curve, 0 without replaced pixels and 1 with all of them; in between it may leave [0, 1]. None if
        the twin's logit differs by less than 0.1, or the map is not finite.
    """
    return _towards(image, twin, (relevance, -relevance), score, shares, seeds)


def insertion_towards_twin(
    image: Tensor,
    twin: Tensor,
    relevance: np.ndarray,
    score: Score,
    *,
    shares: tuple[float, ...] = TWIN_SHARES,
    seeds: int = 3,
) -> Curve | None:
    """The share of the true change that comes back while a twin's pixels go over to the image's.

    (y(x′_s) − y(x′)) / (y(x) − y(x′)); the most relevant share s of the pixels of x′_s comes from the image.
    Arguments and result are those of ``deletion_towards_twin``.
    """
    return _towards(twin, image, (-relevance, relevance), score, shares, seeds)


def best_deletion(
    image: Tensor, twin: Tensor, mask: np.ndarray, score: Score, *, shares: tuple[float, ...] = TWIN_SHARES
) -> Curve | None:
    """``deletion_towards_twin`` in the order of somebody who knows the mask: (H, W) bool, of the finding.

    The pixels of the mask come first, and among them those that change most. It is the best order that the
    mask allows, not the best of all: a map may know which pixels of the mask the model reads.
    """
    order = best_order(image, twin, mask)
    return _towards(image, twin, (order, order), score, shares, 1)


def best_insertion(
    image: Tensor, twin: Tensor, mask: np.ndarray, score: Score, *, shares: tuple[float, ...] = TWIN_SHARES
) -> Curve | None:
    """``insertion_towards_twin`` in the order of ``best_deletion``."""
    order = best_order(image, twin, mask)
    return _towards(twin, image, (order, order), score, shares, 1)


def best_order(image: Tensor, twin: Tensor, mask: np.ndarray) -> np.ndarray:
    """Relevance (H, W) by which the pixels of a mask come first, those that change most before the others.

    Args:
        image: (C, H, W).
        twin: (C, H, W).
        mask: (H, W) bool, of the finding.
    """
    change = (image - twin).abs().sum(0).double().numpy()
    order: np.ndarray = change + np.where(mask, change.max() + 1, 0)
    return order


def relative_to_best(area: float, best: float) -> float:
    """A map's area as a share of the best order's, at most 1; NaN unless the best area is positive."""
    return min(1.0, area / best) if best > 0 and not np.isnan(area) else float("nan")


def _towards(
    start: Tensor,
    goal: Tensor,
    orders: tuple[np.ndarray, np.ndarray],
    score: Score,
    shares: tuple[float, ...],
    seeds: int,
) -> Curve | None:
    """``orders``: relevance where the start has the higher logit, and where the goal has."""
    if not defined(orders[0]):
        return None
    first, last = scores_of(score, [start, goal])
    if abs(first - last) < LEAST_CHANGE:
        return None
    order = orders[0] if first > last else orders[1]
    counts = np.round(np.asarray(shares) * order.size).astype(int)
    curve = replacement_curve(start, goal, order, score, counts, seeds=seeds)
    return Curve(curve.fractions, (first - curve.values) / (first - last))
