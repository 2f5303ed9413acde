"""Synthetic feature vectors of rare findings (MLSMOTE)."""

import numpy as np

from cxrbench.errors import InputError
from cxrbench.targets.imbalance import irlbl, mean_ir, positives

__all__ = ["ml_smote"]


def ml_smote(
    features: np.ndarray, targets: np.ndarray, *, neighbours: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """MLSMOTE: one synthetic example for each example of each rare finding.

    For each example x of a finding with IRLbl above MeanIR, one of its k nearest neighbours z with the same
    finding is drawn; the new example is ``x + u·(z − x)`` with u from [0, 1). Its findings are those of more
    than half of x and its k neighbours.

    Limits: an interpolated feature vector is no radiograph, so this can only train the layers after the
    features (``training.decoupled``). It interpolates between few examples and adds no information beyond
    them. Distances in many dimensions carry little information; a finding with one example gets no synthetic
    ones. All pairs of a finding are compared: time grows with n₊².

    Args:
        features: (N, D) floats.
        targets: (N, L) of 1, 0, −1, NaN; only positives count, and new targets are 1 and 0.
        neighbours: k, at least 1; fewer where a finding has fewer other examples.
        seed: random seed.

    Returns:
        The new examples alone: features (M, D) and targets (M, L).

    Reference:
        Charte et al. 2015, doi:10.1016/j.knosys.2015.07.019, with its Ranking of label sets. There IRLbl is
        updated after each finding; here each rare finding is doubled once, in the order of the columns.
    """
    if neighbours < 1:
        raise InputError(f"neighbours must be at least 1; got {neighbours}.")
    present, random = positives(targets), np.random.default_rng(seed)
    if len(features) != len(present):
        raise InputError(
            f"features and targets must have one row per image; got {len(features)} and {len(present)}."
        )
    new_features, new_targets = [features[:0]], [present[:0]]
    for label in np.flatnonzero(irlbl(targets) > mean_ir(targets)):
        bag = np.flatnonzero(present[:, label])
        if len(bag) < 2:
            continue
        nearest = _nearest(features[bag], neighbours)  # (n, k) positions in the bag
        drawn = nearest[np.arange(len(bag)), random.integers(nearest.shape[1], size=len(bag))]
        step = random.random((len(bag), 1)).astype(features.dtype)
        new_features.append(features[bag] + step * (features[bag[drawn]] - features[bag]))
        votes = present[bag] + present[bag[nearest]].sum(1)  # (n, L)
        new_targets.append(votes * 2 > nearest.shape[1] + 1)
    return np.concatenate(new_features), np.concatenate(new_targets).astype(np.float32)


def _nearest(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Positions (n, k) of the nearest other points of each point, nearest first."""
    from sklearn.neighbors import NearestNeighbors  # here: its import takes a second

    search = NearestNeighbors(n_neighbors=min(neighbours, len(points) - 1)).fit(points.astype(np.float64))
    # Without arguments, no point is its own neighbour.
    positions: np.ndarray = search.kneighbors(return_distance=False)
    return positions
