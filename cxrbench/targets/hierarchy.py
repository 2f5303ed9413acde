"""Label hierarchy: completion, conditional training, multiplied scores."""

from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.labels import HIERARCHY, finding_columns, finding_key

__all__ = ["close", "given_parent", "unconditional"]


def close(
    targets: np.ndarray, labels: Sequence[str], *, hierarchy: Mapping[str, str] = HIERARCHY
) -> np.ndarray:
    """Set the ancestors of every positive finding to positive; CheXpert's file does not.

    Args:
        targets: (N, L) of 1, 0, −1, NaN. Not modified.
        labels: the L findings; pairs of which one is missing are ignored.
        hierarchy: child → parent.

    Returns:
        (N, L), as ``targets`` but 1 wherever a descendant is 1.
    """
    closed = np.array(targets, copy=True)
    for child, parent in _upwards(labels, hierarchy):
        closed[closed[:, child] == 1, parent] = 1
    return closed


def given_parent(
    targets: np.ndarray, labels: Sequence[str], *, hierarchy: Mapping[str, str] = HIERARCHY
) -> np.ndarray:
    """Mask children whose parent is not positive, for a model of P(child | parent).

    Args:
        targets: (N, L) of 1, 0, −1, NaN or soft, after ``close``; without it, children whose parent is not
            mentioned are lost. A soft parent above 0.5 counts as positive. Not modified.
        labels: the L findings.
        hierarchy: child → parent.

    Returns:
        (N, L), NaN where a parent among the labels is not positive.

    Reference:
        Chen et al. 2019, Deep hierarchical multi-label classification of chest X-ray images, PMLR 102:109.
    """
    conditional = np.array(targets, copy=True)
    for child, parent in _upwards(labels, hierarchy):
        conditional[~(targets[:, parent] > 0.5), child] = np.nan
    return conditional


def unconditional(
    scores: np.ndarray, labels: Sequence[str], *, hierarchy: Mapping[str, str] = HIERARCHY
) -> np.ndarray:
    """Compute P(finding) from P(finding | parent): the product along the path from the root.

    Args:
        scores: (N, L) in [0, 1], of a model trained on ``given_parent`` targets. Not modified.
        labels: the L findings.
        hierarchy: child → parent.

    Returns:
        (N, L) in [0, 1]; no child is above its parent.
    """
    product = np.array(scores, copy=True)
    for child, parent in reversed(_upwards(labels, hierarchy)):
        product[:, child] *= product[:, parent]
    return product


def _upwards(labels: Sequence[str], hierarchy: Mapping[str, str]) -> list[tuple[int, int]]:
    """Columns (child, parent), farthest from the root first."""
    column = finding_columns(labels)
    keys = [(child, finding_key(child), finding_key(parent)) for child, parent in hierarchy.items()]
    pairs = [entry for entry in keys if entry[1] in column and entry[2] in column]
    pairs.sort(key=lambda pair: _depth(pair[0], hierarchy), reverse=True)
    return [(column[child], column[parent]) for _, child, parent in pairs]


def _depth(finding: str, hierarchy: Mapping[str, str]) -> int:
    depth = 0
    while finding in hierarchy:
        finding, depth = hierarchy[finding], depth + 1
    return depth
