"""Faithfulness without truth: does the score follow the map when pixels are hidden?

Hidden pixels become black, grey or blurred, which no radiograph is: the score may fall because the picture is
unusual.
"""

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge.correlation import pearson
from cxrbench.judge.curves import Curve, evenly_spaced, replacement_curve, scores_of
from cxrbench.judge.judged_map import Score
from cxrbench.judge.maps import defined, positive_part

__all__ = [
    "SQUARES",
    "STEPS",
    "DropAndIncrease",
    "deletion",
    "drop_and_increase",
    "faithfulness_correlation",
    "infidelity",
    "insertion",
    "probability_score",
    "score_drops",
    "square_masks",
    "standard_squares",
]

STEPS: Final = 10  # of insertion and deletion
SQUARES: Final = 64  # random squares of infidelity and of the faithfulness correlation


def probability_score(score: Score, *, present: bool = True) -> Score:
    """The sigmoid of a finding's logit; one minus it where the finding is absent.

    For an absent finding everything reverses: evidence against it is what a map should show. Negate the
    relevance as well.
    """
    sign = 1.0 if present else -1.0
    return lambda images: torch.sigmoid(sign * score(images))


def deletion(
    image: Tensor,
    baseline: Tensor,
    relevance: np.ndarray,
    score: Score,
    *,
    steps: int = STEPS,
    seeds: int = 3,
) -> Curve:
    """The score while an image's pixels are replaced by the baseline's, most relevant first.

    Args:
        image: (C, H, W).
        baseline: (C, H, W): black, the image's mean, or the blurred image.
        relevance: (H, W), signed.
        score: images (N, C, H, W) → (N,); the sigmoid of the finding's logit (``probability_score``).
        steps: ⌈H·W / steps⌉ pixels are replaced at a time; the first point is the image itself.
        seeds: number of random orders of equal pixels: an enlarged 7 × 7 map has plateaus.

    Returns:
        The curve; a small area is good.

    Reference: Petsiuk et al. 2018, arXiv:1806.07421.
    """
    return replacement_curve(
        image, baseline, relevance, score, evenly_spaced(relevance.size, steps), seeds=seeds
    )


def insertion(
    image: Tensor,
    baseline: Tensor,
    relevance: np.ndarray,
    score: Score,
    *,
    steps: int = STEPS,
    seeds: int = 3,
) -> Curve:
    """The score while a baseline's pixels are replaced by the image's, most relevant first.

    Arguments are those of ``deletion``; here a large area is good.
    """
    return replacement_curve(
        baseline, image, relevance, score, evenly_spaced(relevance.size, steps), seeds=seeds
    )


class DropAndIncrease(NamedTuple):
    """What happens to the score of an image seen through its heat map.

    Attributes:
        drop: max(0, y − o) / y, of the score y of the image and o of what the map lets through; in [0, 1] for
            scores in [0, 1]. The mean over images is the average drop.
        increase: 1 if o > y, else 0. The mean is the increase in confidence.
    """

    drop: float
    increase: float


def drop_and_increase(
    image: Tensor, baseline: Tensor, relevance: np.ndarray, score: Score
) -> DropAndIncrease:
    """Score of the image multiplied by its heat map: x′ + H ⊙ (x − x′).

    Args:
        image: x, (C, H, W).
        baseline: x′, (C, H, W), what the map hides; black in the paper.
        relevance: (H, W); its positive part divided by its largest value is the heat map H.
        score: images (N, C, H, W) → (N,), positive.

    Returns:
        Both values; NaN where nothing is positive, or the score of the image is 0.

    Reference: Chattopadhay et al. 2018, arXiv:1710.11063.
    """
    heat = positive_part(relevance).astype(np.float64)
    if not defined(relevance) or heat.max() <= 0:
        return DropAndIncrease(float("nan"), float("nan"))
    seen = baseline + torch.from_numpy(heat / heat.max()).to(image) * (image - baseline)
    before, after = scores_of(score, [image, seen])
    if before <= 0:
        return DropAndIncrease(float("nan"), float("nan"))
    return DropAndIncrease(float(max(0.0, before - after) / before), float(after > before))


def square_masks(count: int, size: tuple[int, int], *, side: int, seed: int = 0) -> np.ndarray:
    """Random squares within an image, (count, H, W) bool.

    Args:
        count: number of masks, one square each.
        size: (H, W).
        side: of the squares in pixels, at most the shorter side of the image.
        seed: of their places.
    """
    height, width = size
    if not 1 <= side <= min(size):
        raise InputError(f"side must lie between 1 and {min(size)}, the image's shorter side; got {side}.")
    random = np.random.default_rng(seed)
    tops = random.integers(0, height - side + 1, count)[:, None]
    lefts = random.integers(0, width - side + 1, count)[:, None]
    rows, columns = np.arange(height), np.arange(width)
    down = (rows >= tops) & (rows < tops + side)
    across = (columns >= lefts) & (columns < lefts + side)
    masks: np.ndarray = down[:, :, None] & across[:, None, :]
    return masks


def standard_squares(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """The squares (64, H, W) that ``CRITERIA`` hide: a fifth of the image's shorter side wide."""
    return square_masks(SQUARES, size, side=max(1, min(size) // 5), seed=seed)


def score_drops(image: Tensor, baseline: Tensor, masks: np.ndarray, score: Score) -> np.ndarray:
    """How far the score falls where the pixels of each mask (N, H, W) become the baseline's: (N,)."""
    hidden = [torch.where(torch.from_numpy(mask), baseline, image) for mask in masks]
    scores = scores_of(score, [image, *hidden])
    drops: np.ndarray = scores[0] - scores[1:]
    return drops


def infidelity(
    relevance: np.ndarray, masks: np.ndarray, drops: np.ndarray, *, normalise: bool = True
) -> float:
    """Mean squared error of the drops that a map predicts: E[(β Σ_S a − (y(x) − y(x_S)))²].

    Args:
        relevance: a, (H, W), signed.
        masks: S, (N, H, W) bool, of hidden pixels.
        drops: (N,) of the score (``score_drops``).
        normalise: fit the scale β of the map first, as captum's ``normalize=True``; otherwise β = 1 and
            the value depends on the map's scale.

    Returns:
        0 or more, in squared units of the score; NaN if the map is not finite.

    Reference: Yeh et al. 2019, arXiv:1901.09392.
    """
    if not defined(relevance):
        return float("nan")
    sums = _sums(relevance, masks)
    power = float(sums @ sums)
    scale = float(sums @ drops) / power if normalise and power > 0 else 1.0
    return float(np.mean((scale * sums - drops) ** 2))


def faithfulness_correlation(relevance: np.ndarray, masks: np.ndarray, drops: np.ndarray) -> float:
    """Pearson correlation of the drops that a map predicts with those of the score.

    Args:
        relevance: (H, W), signed.
        masks: (N, H, W) bool, of hidden pixels.
        drops: (N,) of the score (``score_drops``).

    Returns:
        In [−1, 1]; NaN where either is constant.

    Reference: Bhatt et al. 2020, arXiv:2005.00631; there with random pixels instead of squares.
    """
    return pearson(_sums(relevance, masks), drops)


def _sums(relevance: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Summed relevance of each mask (N,)."""
    values = relevance.astype(np.float64)
    return np.array([values[mask].sum() for mask in np.asarray(masks, bool)])
