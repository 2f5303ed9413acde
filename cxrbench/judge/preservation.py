"""Preservation and deletion check: does the decision follow the parts that a map calls important?"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cxrbench.judge.curves import scores_of
from cxrbench.judge.judged_map import Score

__all__ = ["IMPORTANCE_LEVELS", "PartChecks", "part_checks"]

# Shares of all relevance from which a part counts as important; the checks are averaged over them.
IMPORTANCE_LEVELS: Final[tuple[float, ...]] = tuple(np.linspace(0.01, 0.5, 80).tolist())


class PartChecks(NamedTuple):
    """Two checks of a map.

    Attributes:
        preservation: share of levels at which the decision stays with the important parts alone.
        deletion: share of levels at which it flips without them.
    """

    preservation: float
    deletion: float


def part_checks(
    image: Tensor,
    healthy: Tensor,
    masks: np.ndarray,
    importance: np.ndarray,
    score: Score,
    *,
    total: float,
    threshold: float = 0.0,
    levels: Sequence[float] = IMPORTANCE_LEVELS,
) -> PartChecks:
    """Keep, or take away, the parts whose importance exceeds a share of all relevance.

    A part is taken away by replacing its pixels by those of the healthy twin. FunnyBirds renders the image
    again; here the change of a part lies in its mask.

    Args:
        image: (C, H, W).
        healthy: (C, H, W), without any of the parts.
        masks: (P, H, W) bool.
        importance: (P,), summed relevance of the parts.
        score: images (N, C, H, W) → logits (N,).
        total: summed relevance of the whole map.
        threshold: logit from which the finding counts as predicted.
        levels: shares of ``total``.

    Returns:
        Both in [0, 1]; NaN if there is no part, or taking all of them away does not change the decision.

    Reference: Hesse et al. 2023, arXiv:2308.06248.
    """
    regions = np.asarray(masks, bool)
    important = [tuple(np.asarray(importance) > level * total) for level in levels]
    everything = (True,) * len(regions)
    sets = list(dict.fromkeys([(), *important, *(_others(each) for each in important), everything]))
    logits = dict(zip(sets, _without(image, healthy, regions, sets, score), strict=True))
    decision = {removed: logit >= threshold for removed, logit in logits.items()}
    if not len(regions) or decision[()] == decision[everything]:
        return PartChecks(float("nan"), float("nan"))
    return PartChecks(
        preservation=float(np.mean([decision[_others(each)] == decision[()] for each in important])),
        deletion=float(np.mean([decision[each] != decision[()] for each in important])),
    )


def _others(chosen: tuple[bool, ...]) -> tuple[bool, ...]:
    return tuple(not each for each in chosen)


def _without(
    image: Tensor,
    healthy: Tensor,
    regions: np.ndarray,
    sets: Sequence[tuple[bool, ...]],
    score: Score,
) -> np.ndarray:
    """Logits of the image without each set of parts; the empty tuple leaves all of them in place."""
    images = []
    for removed in sets:
        chosen = [region for region, gone in zip(regions, removed, strict=False) if gone]
        gone = np.logical_or.reduce(chosen) if chosen else np.zeros(tuple(image.shape[1:]), bool)
        images.append(torch.where(torch.from_numpy(gone), healthy, image))
    return scores_of(score, images)
