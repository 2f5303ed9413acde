"""Operating points: rules that choose one threshold per finding on validation studies.

A threshold lies half-way between two neighbouring scores, so that a rounding error does not change the
prediction for the study that determined it. Choose thresholds on validation studies, never on test studies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.errors import InputError, look_up
from cxrbench.metrics.checks import check_scores

__all__ = [
    "THRESHOLDS",
    "Threshold",
    "best_f1",
    "half",
    "least_cost",
    "sensitivity_first",
    "specificity_first",
    "threshold",
    "youden",
]

_LOWEST: Final = 1e-6  # thresholds lie in (0, 1), and recipes store six digits of them


@dataclass(frozen=True, eq=False)
class _OperatingPoints:
    """All possible thresholds of one finding, ascending, with their counts.

    All lie in (0, 1): a score of 0 is never predicted positive, a score of 1 always. At the last threshold
    nothing is predicted positive.

    Args:
        thresholds: (T,).
        tp: (T,) true positives.
        fp: (T,) false positives.
        positives: number of positives, at least 1.
        negatives: number of negatives, at least 1.
    """

    thresholds: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    positives: int
    negatives: int


def half(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """0.5 for every finding (L,), whatever the targets and scores (N, L)."""
    truth, _ = check_scores(targets, scores)
    return np.full(truth.shape[1], 0.5)


def youden(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Threshold with the largest sensitivity + specificity, per finding; ties go to the lowest.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        (L,) in (0, 1); 0.5 where a finding has no positive or no negative.

    Reference:
        Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    return _best(targets, scores, lambda p: p.tp / p.positives - p.fp / p.negatives)


def best_f1(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Threshold with the largest F1 of the positive class, per finding; ties go to the lowest.

    Optimistic where positives are few. Arguments and return value as for `youden`.

    Reference: Lipton et al. 2014, arXiv:1402.1892.
    """
    return _best(targets, scores, lambda p: 2 * p.tp / (p.tp + p.fp + p.positives))


def sensitivity_first(targets: np.ndarray, scores: np.ndarray, *, least: float = 0.9) -> np.ndarray:
    """Highest threshold with sensitivity ≥ ``least``, per finding.

    Other arguments and return value as for `youden`.
    """
    _check_share(least)

    def gain(points: _OperatingPoints) -> np.ndarray:  # where no threshold reaches it: the most sensitive
        reached = points.tp >= least * points.positives - 1e-9
        return np.where(reached, points.thresholds, points.tp - points.positives - 1 + points.thresholds)

    return _best(targets, scores, gain)


def specificity_first(targets: np.ndarray, scores: np.ndarray, *, least: float = 0.9) -> np.ndarray:
    """Lowest threshold with specificity ≥ ``least``, per finding.

    Other arguments and return value as for `youden`.
    """
    _check_share(least)

    def gain(points: _OperatingPoints) -> np.ndarray:  # where no threshold reaches it: the most specific
        allowed = (1 - least) * points.negatives + 1e-9
        return np.where(points.fp <= allowed, -points.thresholds, -points.fp - 1)

    return _best(targets, scores, gain)


def least_cost(
    targets: np.ndarray, scores: np.ndarray, *, fn_cost: float = 5.0, fp_cost: float = 1.0
) -> np.ndarray:
    """Threshold with the lowest cost, fn_cost · FN + fp_cost · FP, per finding; ties go to the lowest.

    It depends on the prevalence of the finding in these studies. Return value as for `youden`.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].
        fn_cost: cost of a false negative, above 0.
        fp_cost: cost of a false positive, above 0.

    Reference: Elkan 2001, "The foundations of cost-sensitive learning", IJCAI.
    """
    if not (fn_cost > 0 and fp_cost > 0):
        raise InputError(f"Costs must be above 0; got fn_cost {fn_cost} and fp_cost {fp_cost}.")
    return _best(targets, scores, lambda p: fn_cost * p.tp - fp_cost * p.fp)


@dataclass(frozen=True)
class Threshold:
    """A rule that chooses one threshold per finding.

    Args:
        name: its key.
        title: for menus.
        fit: targets (N, L), scores (N, L) → thresholds (L,).
        summary: one sentence for a reader.
    """

    name: str
    title: str
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]
    summary: str


THRESHOLDS: Final[dict[str, Threshold]] = {
    record.name: record
    for record in (
        Threshold("half", "one half", half, "0.5 for every finding, as if scores were probabilities."),
        Threshold("youden", "Youden", youden, "The largest sensitivity + specificity."),
        Threshold("best_f1", "best F1", best_f1, "The largest F1 of the positive class."),
        Threshold(
            "sensitivity_first",
            "sensitivity first",
            sensitivity_first,
            "The highest threshold with sensitivity ≥ 90 %.",
        ),
        Threshold(
            "specificity_first",
            "specificity first",
            specificity_first,
            "The lowest threshold with specificity ≥ 90 %.",
        ),
        Threshold(
            "least_cost",
            "least cost",
            least_cost,
            "The lowest cost, where a false negative costs as much as five false positives.",
        ),
    )
}


def threshold(name: str) -> Threshold:
    """Return the rule of this name.

    Raises:
        InputError: the name is unknown; the message lists the known ones.
    """
    return look_up("threshold rule", name, THRESHOLDS)


def _best(
    targets: np.ndarray, scores: np.ndarray, gain: Callable[[_OperatingPoints], np.ndarray]
) -> np.ndarray:
    """Threshold (L,) with the largest gain; ties go to the lowest."""
    truth, values = check_scores(targets, scores)
    chosen = np.full(truth.shape[1], 0.5)
    for finding in range(truth.shape[1]):
        known = ~np.isnan(truth[:, finding])
        present, score = truth[known, finding] > 0, values[known, finding].astype(np.float64)
        if present.all() or not present.any():
            continue
        points = _operating_points(present, score)
        if len(points.thresholds):
            chosen[finding] = points.thresholds[int(np.argmax(gain(points)))]
    return chosen


def _operating_points(present: np.ndarray, score: np.ndarray) -> _OperatingPoints:
    """All thresholds of one finding that give different predictions; present (N,) bool, score (N,)."""
    levels = np.unique(score)
    order = np.argsort(score, kind="stable")
    below = np.append(np.searchsorted(score[order], levels), len(score))  # scores below each threshold
    missed = np.concatenate(([0], np.cumsum(present[order])))[below]
    edges = np.concatenate(([min(0.0, levels[0])], levels, [max(1.0, levels[-1])]))
    thresholds = (edges[1:] + edges[:-1]) / 2
    inside = (thresholds > _LOWEST) & (thresholds < 1 - _LOWEST)
    positives, negatives = int(present.sum()), int((~present).sum())
    return _OperatingPoints(
        thresholds=thresholds[inside],
        tp=(positives - missed)[inside],
        fp=(negatives - (below - missed))[inside],
        positives=positives,
        negatives=negatives,
    )


def _check_share(least: float) -> None:
    if not 0 < least <= 1:
        raise InputError(f"least must be a share in (0, 1]; got {least}.")
