"""Operating points: rules that choose one threshold per finding on validation studies.

A threshold lies half-way between the lowest score that is called and the next lower one, so that a rounding
error does not flip the study that set it. Choose on validation studies, never on those that are judged.
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
class _Cuts:
    """What each possible threshold of one finding gives, ascending, up to the one that calls nothing.

    All lie in (0, 1): a score of 0 is never called, one of 1 always.

    Args:
        at: (T,) thresholds.
        hits: (T,) positives called.
        alarms: (T,) negatives called.
        positives: how many there are, at least 1.
        negatives: how many there are, at least 1.
    """

    at: np.ndarray
    hits: np.ndarray
    alarms: np.ndarray
    positives: int
    negatives: int


def half(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """0.5 for every finding (L,), whatever the studies (N, L) say."""
    truth, _ = check_scores(targets, scores)
    return np.full(truth.shape[1], 0.5)


def youden(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each finding the threshold with the largest sensitivity + specificity; of several the lowest.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        (L,) in (0, 1); 0.5 where a finding has no positive or no negative.

    Reference:
        Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    return _best(targets, scores, lambda c: c.hits / c.positives - c.alarms / c.negatives)


def best_f1(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each finding the threshold with the largest F1 of the positive class; of several the lowest.

    Optimistic where positives are few. Arguments and result as of `youden`.

    Reference: Lipton et al. 2014, arXiv:1402.1892.
    """
    return _best(targets, scores, lambda c: 2 * c.hits / (c.hits + c.alarms + c.positives))


def sensitivity_first(targets: np.ndarray, scores: np.ndarray, *, least: float = 0.9) -> np.ndarray:
    """The highest threshold at which a share ``least`` of the positives is called: nothing may be missed.

    Other arguments and result as of `youden`.
    """
    _check_share(least)

    def gain(of: _Cuts) -> np.ndarray:  # where the share is out of reach: as many as can be called
        return np.where(of.hits >= least * of.positives - 1e-9, of.at, of.hits - of.positives - 1 + of.at)

    return _best(targets, scores, gain)


def specificity_first(targets: np.ndarray, scores: np.ndarray, *, least: float = 0.9) -> np.ndarray:
    """The lowest threshold at which a share ``least`` of the negatives is left alone: no false alarms.

    Other arguments and result as of `youden`.
    """
    _check_share(least)

    def gain(of: _Cuts) -> np.ndarray:  # where the share is out of reach: as few as must be called
        allowed = (1 - least) * of.negatives + 1e-9
        return np.where(of.alarms <= allowed, -of.at, -of.alarms - 1)

    return _best(targets, scores, gain)


def least_cost(
    targets: np.ndarray, scores: np.ndarray, *, miss: float = 5.0, false_alarm: float = 1.0
) -> np.ndarray:
    """The threshold with the least cost, miss · FN + false_alarm · FP; of several the lowest.

    It depends on how common a finding is in the studies. Other arguments and result as of `youden`.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].
        miss: what a missed finding costs, above 0.
        false_alarm: what a false alarm costs, above 0.

    Reference: Elkan 2001, "The foundations of cost-sensitive learning", IJCAI.
    """
    if not (miss > 0 and false_alarm > 0):
        raise InputError(f"Costs must be above 0; got miss {miss} and false_alarm {false_alarm}.")
    return _best(targets, scores, lambda c: miss * c.hits - false_alarm * c.alarms)


@dataclass(frozen=True)
class Threshold:
    """A rule that chooses thresholds.

    Args:
        name: its key.
        title: for menus.
        fit: targets (N, L), scores (N, L) → thresholds (L,).
        says: one sentence for a reader.
    """

    name: str
    title: str
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]
    says: str


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
            "The highest threshold that still finds 90 % of the positives.",
        ),
        Threshold(
            "specificity_first",
            "specificity first",
            specificity_first,
            "The lowest threshold that still leaves 90 % of the negatives alone.",
        ),
        Threshold(
            "least_cost", "least cost", least_cost, "The least cost, if a miss costs five false alarms."
        ),
    )
}


def threshold(name: str) -> Threshold:
    """The rule of this name.

    Raises:
        InputError: there is none; the sentence lists those there are.
    """
    return look_up("threshold rule", name, THRESHOLDS)


def _best(targets: np.ndarray, scores: np.ndarray, gain: Callable[[_Cuts], np.ndarray]) -> np.ndarray:
    """The threshold (L,) of the largest gain, the lowest of several."""
    truth, values = check_scores(targets, scores)
    chosen = np.full(truth.shape[1], 0.5)
    for finding in range(truth.shape[1]):
        known = ~np.isnan(truth[:, finding])
        present, score = truth[known, finding] > 0, values[known, finding].astype(np.float64)
        if present.all() or not present.any():
            continue
        cuts = _cuts(present, score)
        if len(cuts.at):
            chosen[finding] = cuts.at[int(np.argmax(gain(cuts)))]
    return chosen


def _cuts(present: np.ndarray, score: np.ndarray) -> _Cuts:
    """Every threshold that makes a difference for one finding: (N,) bool, (N,) float."""
    levels = np.unique(score)
    order = np.argsort(score, kind="stable")
    below = np.append(np.searchsorted(score[order], levels), len(score))  # how many lie below each cut
    missed = np.concatenate(([0], np.cumsum(present[order])))[below]
    edges = np.concatenate(([min(0.0, levels[0])], levels, [max(1.0, levels[-1])]))
    at = (edges[1:] + edges[:-1]) / 2
    inside = (at > _LOWEST) & (at < 1 - _LOWEST)
    positives, negatives = int(present.sum()), int((~present).sum())
    return _Cuts(
        at=at[inside],
        hits=(positives - missed)[inside],
        alarms=(negatives - (below - missed))[inside],
        positives=positives,
        negatives=negatives,
    )


def _check_share(least: float) -> None:
    if not 0 < least <= 1:
        raise InputError(f"least must be a share in (0, 1]; got {least}.")
