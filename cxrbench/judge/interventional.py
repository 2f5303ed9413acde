"""Interventional criteria: what a map says of the parts of a film, against what taking them away does.

The parts are findings, markers, devices and distractors. The true change of a logit is known from twins: the
same patient with the same noise, one part taken away.

Reference: FunnyBirds, Hesse et al. 2023, arXiv:2308.06248; IDSDS, Hesse et al. 2024, arXiv:2407.11910.
"""

from typing import Final, Literal

import numpy as np

from cxrbench.errors import InputError
from cxrbench.judge.correlation import spearman
from cxrbench.judge.maps import defined, positive_part

__all__ = [
    "FEWEST_PARTS",
    "IRRELEVANT",
    "distractibility",
    "part_importance",
    "single_deletion",
    "target_sensitivity",
]

FEWEST_PARTS: Final = 3  # two parts have a rank correlation of −1 or 1 whatever the map
IRRELEVANT: Final = 0.05  # of the logit: a part that lowers it by less is irrelevant

_NAN: Final = float("nan")


def part_importance(
    relevance: np.ndarray,
    masks: np.ndarray,
    *,
    reduce: Literal["sum", "mean"] = "sum",
    positive: bool = False,
) -> np.ndarray:
    """How important each part is according to a map: its relevance, summed or averaged over the part.

    Args:
        relevance: (H, W), signed.
        masks: (P, H, W) bool.
        reduce: ``sum``: a large part may matter more, as its true effect may; ``mean``: per pixel.
        positive: whether negative relevance counts as 0.

    Returns:
        (P,) float64; NaN for a part without pixels.

    Raises:
        InputError: the masks do not have the map's shape.
    """
    regions = np.asarray(masks, bool)
    if regions.ndim != 3 or regions.shape[1:] != relevance.shape:
        raise InputError(
            f"masks must be (P, H, W) of the relevance's shape {relevance.shape}; got {regions.shape}: "
            "enlarge the map to the size of the masks first."
        )
    values = (positive_part(relevance) if positive else relevance).astype(np.float64)
    sizes = regions.sum((1, 2))
    sums = np.array([values[region].sum() for region in regions])
    importance: np.ndarray = np.where(sizes > 0, sums / (sizes.clip(min=1) if reduce == "mean" else 1), _NAN)
    return importance


def single_deletion(importance: np.ndarray, changes: np.ndarray) -> float:
    """Spearman's correlation of the parts' importance with the true change of the logit.

    FunnyBirds reports (ρ + 1) / 2; here it is ρ.

    Args:
        importance: (P,), according to the map.
        changes: (P,) logit with the part minus logit without it.

    Returns:
        In [−1, 1]; NaN for fewer than three parts, a part without pixels, or values that are all equal.
    """
    if len(importance) != len(changes):
        raise InputError(
            f"There must be one change per part; got {len(importance)} parts and {len(changes)} changes."
        )
    return spearman(importance, changes) if len(changes) >= FEWEST_PARTS else _NAN


def target_sensitivity(importance: np.ndarray, changes: np.ndarray, own: int) -> float:
    """Share of the other parts that the map of a finding ranks below the finding's own part.

    Only parts that truly change the finding's logit less than its own part does are compared. The other way
    round, that the map of another finding ranks that finding's part higher, is the value of that finding.

    Args:
        importance: (P,), according to the map of the finding.
        changes: (P,) true changes of the finding's logit.
        own: index of the finding's own part.

    Returns:
        In [0, 1], equal importance counting half; NaN if no part can be compared.
    """
    others = np.flatnonzero(np.asarray(changes) < changes[own])
    others = others[~np.isnan(np.asarray(importance)[others])]
    if not len(others) or np.isnan(importance[own]):
        return _NAN
    below = np.asarray(importance)[others]
    return float(((below < importance[own]) + 0.5 * (below == importance[own])).mean())


def distractibility(
    relevance: np.ndarray,
    masks: np.ndarray,
    changes: np.ndarray,
    logit: float,
    *,
    irrelevant: float = IRRELEVANT,
) -> float:
    """Share of the positive relevance that lies on irrelevant parts: lower is better.

    A part is irrelevant if taking it away lowers the logit by less than 5 % of its absolute value, or
    raises it. Pixels that a relevant part has in common with it do not count.

    Args:
        relevance: (H, W), signed.
        masks: (P, H, W) bool.
        changes: (P,) logit with the part minus logit without it.
        logit: of the image.
        irrelevant: share of the logit.

    Returns:
        In [0, 1]; NaN if no part is irrelevant or nothing is positive.
    """
    regions = np.asarray(masks, bool)
    minor = np.asarray(changes) < irrelevant * abs(logit)
    positive = positive_part(relevance).astype(np.float64)
    total = positive.sum()
    if not minor.any() or not defined(relevance) or total <= 0:
        return _NAN
    region = regions[minor].any(0) & ~regions[~minor].any(0)
    return float(positive[region].sum() / total) if region.any() else _NAN
