"""Synthetic feature vectors of rare findings (MLSMOTE)."""

import numpy as np

from cxrbench.errors import InputError
from cxrbench.targets.imbalance import irlbl, mean_ir, positives

__all__ = ["ml_smote"]


def ml_smote(
    features: np.ndarray, targets: np.ndarray, *, neighbours: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """MLSMOTE: one synthetic example for each example of each rare finding.

    For a finding with IRLbl above MeanIR, each of its examples x has its k nearest among the same finding's;
    one of them, z, is drawn, and ``x + u·(z − x)`` with u from [0, 1) is new. It shows a finding where more
    than half of the k + 1 (x and its neighbours) show it.

    Limits: a point between two feature vectors is no radiograph, so this can only train what comes after the
    features (``training.decoupled``), not the network that makes them. It interpolates between the few
    examples there are and learns nothing of what they do not show. Distances in many dimensions tell little;
    a finding with one example gets none. All pairs of a finding are compared: time grows with n₊².

    Args:
        features: (N, D) floats.
        targets: (N, L) of 1, 0, −1, NaN; only positives count, and new targets are 1 and 0.
        neighbours: k, at least 1; fewer where a finding has fewer other examples.
        seed: of the draws.

    Returns:
        The new examples alone: features (M, D) and targets (M, L).

    Reference:
        Charte et al. 2015, doi:10.1016/j.knosys.2015.07.019, with the Ranking of label sets. There IRLbl is
        counted anew after each finding; here each rare finding doubles once, in the order of the columns.
    """
    if neighbours < 1:
        raise InputError(f"Neighbours must be 1 or more; got {neighbours}.")
    present, random = positives(targets), np.random.default_rng(seed)
    if len(features) != len(present):
        raise InputError(f"There must be as many features as targets; got {len(features)}, {len(present)}.")
    made, shown = [features[:0]], [present[:0]]
    for label in np.flatnonzero(irlbl(targets) > mean_ir(targets)):
        bag = np.flatnonzero(present[:, label])
        if len(bag) < 2:
            continue
        near = _nearest(features[bag], neighbours)  # (n, k) places in the bag
        picked = near[np.arange(len(bag)), random.integers(near.shape[1], size=len(bag))]
        step = random.random((len(bag), 1)).astype(features.dtype)
        made.append(features[bag] + step * (features[bag[picked]] - features[bag]))
        votes = present[bag] + present[bag[near]].sum(1)  # (n, L)
        shown.append(votes * 2 > near.shape[1] + 1)
    return np.concatenate(made), np.concatenate(shown).astype(np.float32)


def _nearest(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Places of each point's nearest others, nearest first: (n, k)."""
    from sklearn.neighbors import NearestNeighbors  # here: its import takes a second

    search = NearestNeighbors(n_neighbors=min(neighbours, len(points) - 1)).fit(points.astype(np.float64))
    return search.kneighbors(return_distance=False)  # without points, none is its own neighbour
