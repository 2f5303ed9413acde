"""Curves of a score while the pixels of one image are replaced by another's, in the order of a map."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge.maps import pixel_order

__all__ = ["Curve", "evenly_spaced", "replacement_curve", "scores_of"]

_CHUNK: Final = 16  # images per forward pass


@dataclass(frozen=True, eq=False)
class Curve:
    """A score at growing shares of replaced pixels.

    Args:
        fractions: (T,) shares that were really replaced, ascending, in [0, 1].
        values: (T,) scores, means over seeds.
    """

    fractions: np.ndarray
    values: np.ndarray

    @property
    def area(self) -> float:
        """Area under the curve by the trapezoidal rule, divided by the range of the fractions."""
        width = self.fractions[-1] - self.fractions[0]
        return float(np.trapezoid(self.values, self.fractions) / width) if width > 0 else float("nan")


def evenly_spaced(pixels: int, steps: int) -> np.ndarray:
    """Numbers of replaced pixels (steps + 1,): 0, ⌈pixels / steps⌉ more each time, at last all of them."""
    step = -(-pixels // steps)
    return np.unique(np.minimum(np.arange(steps + 1) * step, pixels))


def replacement_curve(
    image: Tensor,
    other: Tensor,
    relevance: np.ndarray,
    score: Callable[[Tensor], Tensor],
    counts: Sequence[int] | np.ndarray,
    *,
    seeds: int = 3,
) -> Curve:
    """The score of an image whose most relevant pixels are replaced by those of another image.

    Args:
        image: (C, H, W).
        other: (C, H, W).
        relevance: (H, W); the most relevant pixels are replaced first.
        score: images (N, C, H, W) → (N,).
        counts: numbers of replaced pixels, ascending, each 0 … H·W.
        seeds: number of random orders of pixels with equal relevance; their scores are averaged. One is
            computed where no count separates equal pixels.

    Raises:
        InputError: the shapes of images and relevance differ.
    """
    if image.shape != other.shape or tuple(image.shape[1:]) != relevance.shape:
        raise InputError(
            "The two images must have one shape (C, H, W) and the relevance (H, W); got "
            f"{tuple(image.shape)}, {tuple(other.shape)} and {relevance.shape}."
        )
    numbers = np.asarray(counts, int)
    orders = [pixel_order(relevance)]
    if _separates_ties(relevance, orders[0], numbers):
        orders += [pixel_order(relevance, seed) for seed in range(1, seeds)]
    values = np.mean([_scores(image, other, order, score, numbers) for order in orders], axis=0)
    return Curve(numbers / relevance.size, values)


def scores_of(score: Callable[[Tensor], Tensor], images: Sequence[Tensor]) -> np.ndarray:
    """Scores (N, …) float64 of images (C, H, W), a few per forward pass, without gradients."""
    found = []
    with torch.inference_mode(mode=False), torch.no_grad():
        for start in range(0, len(images), _CHUNK):
            # Channels last: convolutions of several images run up to twice as fast on a CPU.
            batch = torch.stack(list(images[start : start + _CHUNK])).to(memory_format=torch.channels_last)
            scores = score(batch)
            found.append(scores.detach().double().numpy())
    return np.concatenate(found) if found else np.zeros(0)


def _separates_ties(relevance: np.ndarray, order: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a count lies between two pixels of equal relevance."""
    ranked = relevance.ravel()[order]
    inner = counts[(counts > 0) & (counts < ranked.size)]
    return bool((ranked[inner - 1] == ranked[inner]).any())


def _scores(
    image: Tensor,
    other: Tensor,
    order: np.ndarray,
    score: Callable[[Tensor], Tensor],
    counts: np.ndarray,
) -> np.ndarray:
    rank = np.empty(order.size, int)
    rank[order] = np.arange(order.size)
    ranks = torch.from_numpy(rank).view(image.shape[1:])
    # A chunk of images at a time: all of them would be as many as there are counts.
    parts = [
        scores_of(score, [torch.where(ranks < int(count), other, image) for count in counts[i : i + _CHUNK]])
        for i in range(0, len(counts), _CHUNK)
    ]
    return np.concatenate(parts)
