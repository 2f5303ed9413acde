"""ROAD: pixels are removed by noisy linear imputation from their neighbours, so that no edge betrays them."""

from typing import Final, NamedTuple

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge.curves import scores_of
from cxrbench.judge.judged_map import Score
from cxrbench.judge.maps import pixel_order

__all__ = ["ROAD_SHARES", "Road", "noisy_linear", "road"]

ROAD_SHARES: Final = (0.1, 0.3, 0.5, 0.7)

_TOLERANCE: Final = 1e-5  # relative residual of the imputation

# Neighbour → its weight: those that share an edge count twice as much as those at a corner.
_NEIGHBOURS: Final = tuple(
    ((down, across), 1 / 6 if 0 in (down, across) else 1 / 12)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
    if (down, across) != (0, 0)
)


class Road(NamedTuple):
    """Scores of an image without its most, and without its least relevant pixels.

    Attributes:
        removed: (T,) shares of pixels that were really removed.
        most: (T,) scores without the most relevant pixels.
        least: (T,) scores without the least relevant pixels.
    """

    removed: np.ndarray
    most: np.ndarray
    least: np.ndarray

    @property
    def value(self) -> float:
        """Mean of (least − most) / 2: positive where the most relevant pixels matter more."""
        return float((self.least - self.most).mean() / 2)


def road(
    image: Tensor,
    relevance: np.ndarray,
    score: Score,
    *,
    shares: tuple[float, ...] = ROAD_SHARES,
    noise: float = 0.01,
    seed: int = 0,
) -> Road:
    """Remove and debias: the score without the most, and without the least relevant pixels.

    Exactly the asked share is removed, whatever the map: equal pixels are taken in random order. A threshold
    at a percentile would remove all zeros of a sparse map at once.

    Args:
        image: (C, H, W).
        relevance: (H, W), signed.
        score: images (N, C, H, W) → (N,).
        shares: of the pixels, each above 0 and below 1.
        noise: standard deviation of the noise of imputed pixels, in the units of the image.
        seed: of the noise and of the order of equal pixels.

    Reference: Rong et al. 2022, arXiv:2202.00449.
    """
    order = pixel_order(relevance, seed)
    counts = np.round(np.asarray(shares) * order.size).astype(int)
    images = []
    for ranked in (order, order[::-1]):
        for count in counts:
            removed = np.zeros(order.size, bool)
            removed[ranked[:count]] = True
            images.append(noisy_linear(image, removed.reshape(relevance.shape), noise=noise, seed=seed))
    most, least = scores_of(score, images).reshape(2, -1)
    return Road(counts / order.size, most, least)


def noisy_linear(image: Tensor, removed: np.ndarray, *, noise: float = 0.01, seed: int = 0) -> Tensor:
    """Impute pixels: each becomes the weighted mean of its eight neighbours, plus noise.

    Neighbours may be imputed themselves: the means are the solution of a system of linear equations, by
    conjugate gradients up to a relative residual of 1e-5, far below the noise.

    Args:
        image: (C, H, W).
        removed: (H, W) bool, the pixels to impute; at least one pixel must remain.
        noise: standard deviation of the noise, in the units of the image.
        seed: of the noise.

    Raises:
        InputError: no pixel remains.

    Reference: Rong et al. 2022, arXiv:2202.00449, section 4.
    """
    if removed.all():
        raise InputError("Imputation needs at least one pixel that is not removed; got none.")
    if not removed.any():
        return image.clone()
    values = image.double().reshape(len(image), -1).numpy()
    # Relative to the mean of what remains, so that the solution of a flat image is found at once.
    level = values[:, ~removed.ravel()].mean(1)
    matrix, right = _equations(removed, values - level[:, None])
    diagonal = matrix.diagonal()
    scaled = LinearOperator(matrix.shape, matvec=lambda vector: vector / diagonal, dtype=np.float64)
    solved = np.stack([cg(matrix, each, rtol=_TOLERANCE, M=scaled)[0] for each in right.T])  # (C, n)
    solved += level[:, None] + noise * np.random.default_rng(seed).standard_normal(solved.shape)
    imputed = image.clone().reshape(len(image), -1)
    imputed[:, torch.from_numpy(np.flatnonzero(removed))] = torch.from_numpy(solved).to(image)
    return imputed.reshape(image.shape)


def _equations(removed: np.ndarray, values: np.ndarray) -> tuple[csr_array, np.ndarray]:
    """Σ weight × (pixel − neighbour) = 0 for each of n removed pixels: matrix (n, n), right side (n, C).

    Args:
        removed: (H, W) bool.
        values: (C, H·W), of the pixels that remain.
    """
    height, width = removed.shape
    unknown = np.flatnonzero(removed)
    number = np.full(removed.size, -1)  # of the equation of a removed pixel
    number[unknown] = np.arange(unknown.size)
    rows, columns = np.divmod(unknown, width)
    totals, right = np.zeros(unknown.size), np.zeros((unknown.size, len(values)))
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for (down, across), weight in _NEIGHBOURS:
        row, column = rows + down, columns + across
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        neighbour = (row * width + column)[inside]
        equation = np.flatnonzero(inside)
        totals[equation] += weight
        given = number[neighbour] < 0
        right[equation[given]] += weight * values[:, neighbour[given]].T
        others = number[neighbour[~given]]
        entries.append((np.full(others.size, -weight), equation[~given], others))
    entries.append((totals, np.arange(unknown.size), np.arange(unknown.size)))
    weights, first, second = (np.concatenate(each) for each in zip(*entries, strict=True))
    return coo_array((weights, (first, second)), shape=(unknown.size, unknown.size)).tocsr(), right
