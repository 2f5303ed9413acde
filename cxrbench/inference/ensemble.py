"""Ensembles: combine then predict (CTP), or predict then combine (PTC).

Liz et al. 2022 (arXiv:2207.14408) compare these. An ensemble is fitted on validation studies, which choose
its thresholds (and weights), and then answers for any others:

    answer = ENSEMBLES["ctp_mean"].fit(targets, valid_scores, youden)(test_scores)

With class-wise thresholds CTP cuts the combined score, PTC each model's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from cxrbench.errors import InputError, look_up
from cxrbench.inference.calibration import platt
from cxrbench.logistic import clipped_logits
from cxrbench.metrics.ranking import auroc

__all__ = [
    "ENSEMBLES",
    "Ensemble",
    "EnsemblePrediction",
    "ensemble",
    "logit_mean",
    "mean",
    "most_frequent_set",
    "quorum",
    "weighted_mean",
]


@dataclass(frozen=True, eq=False)
class EnsemblePrediction:
    """What an ensemble summary of N images.

    Args:
        scores: (N, L) in [0, 1]: the combined score, or the share of models that call the finding.
        calls: (N, L) bool.
    """

    scores: np.ndarray
    calls: np.ndarray


ThresholdRule = Callable[
    [np.ndarray, np.ndarray], np.ndarray
]  # targets (N, L), scores (N, L) → thresholds (L,)
Fitted = Callable[[np.ndarray], EnsemblePrediction]  # scores (M, N, L) → answer
Fit = Callable[
    [np.ndarray, np.ndarray, ThresholdRule], Fitted
]  # targets (N, L), scores (M, N, L), rule → fitted
Combine = Callable[[np.ndarray], np.ndarray]  # scores (M, N, L) → (N, L)


def mean(scores: np.ndarray) -> np.ndarray:
    """The mean of the models' scores: (M, N, L) → (N, L). The paper's CTP."""
    return _checked(scores).mean(0)


def logit_mean(scores: np.ndarray) -> np.ndarray:
    """The sigmoid of the mean logit: (M, N, L) → (N, L). One sure model sways it more than the plain mean."""
    return expit(clipped_logits(_checked(scores)).mean(0))


def weighted_mean(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Σₘ wₘ sₘ: (M, N, L) with weights (M, L) that add up to 1 over the models → (N, L)."""
    return np.einsum("mnl,ml->nl", _checked(scores), weights)


def skill(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Weights (M, L) in proportion to AUROC − ½ on these studies; equal where no model beats chance."""
    gains = np.stack([np.nan_to_num(auroc(targets, one), nan=0.5) - 0.5 for one in _checked(scores)])
    gains = np.maximum(gains, 0)
    total = gains.sum(0)
    return np.where(total > 0, gains / np.where(total > 0, total, 1), 1 / len(gains))


def quorum(scores: np.ndarray, thresholds: np.ndarray, least: int) -> np.ndarray:
    """Called where at least so many models call it: (M, N, L), thresholds (M, L) → (N, L) bool."""
    return _votes(scores, thresholds).sum(0) >= least


def majority(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Called where more than half of the models call it: (M, N, L), thresholds (M, L) → (N, L) bool.

    Where exactly half do, which takes an even number of models, the mean of s − t over them decides: how far
    the scores lie above the models' own thresholds.
    """
    twice = 2 * _votes(scores, thresholds).sum(0)
    margin = (np.asarray(scores, np.float64) - thresholds[:, None]).mean(0)
    return (twice > len(scores)) | ((twice == len(scores)) & (margin >= 0))


def most_frequent_set(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The set of findings that most models give: (M, N, L), thresholds (M, L) → (N, L) bool.

    Of sets equally frequent (with many findings every model may well have its own) the one with the fewest
    labels against it in all models counts, then that of the model named first. The paper states no rule.
    """
    votes = _votes(scores, thresholds)  # (M, N, L)
    same = np.stack([(votes == one).all(2).sum(0) for one in votes])  # (M, N): models with that very set
    against = np.stack([(votes != one).sum((0, 2)) for one in votes])  # (M, N): labels, over all models
    rank = same * (votes[0].size + 1) - against  # frequency first
    return np.take_along_axis(votes, rank.argmax(0)[None, :, None], axis=0)[0]


def _combine_then_predict(fit_combine: Callable[[np.ndarray, np.ndarray], Combine]) -> Fit:
    """CTP: one score, then the rule's threshold of it."""

    def fit(targets: np.ndarray, scores: np.ndarray, rule: ThresholdRule) -> Fitted:
        combine = fit_combine(targets, scores)
        cuts = rule(targets, combine(scores))

        def answer(scores: np.ndarray) -> EnsemblePrediction:
            combined = combine(scores)
            return EnsemblePrediction(combined, combined >= cuts)

        return answer

    return fit


def _predict_then_combine(vote: Callable[[np.ndarray, np.ndarray], np.ndarray], *, shares: bool) -> Fit:
    """PTC: each model's scores against its own thresholds, then a vote."""

    def fit(targets: np.ndarray, scores: np.ndarray, rule: ThresholdRule) -> Fitted:
        cuts = np.stack([rule(targets, one) for one in _checked(scores)])

        def answer(scores: np.ndarray) -> EnsemblePrediction:
            if len(scores) != len(cuts):
                raise InputError(f"The ensemble was fitted for {len(cuts)} models; got {len(scores)}.")
            calls = vote(scores, cuts)
            return EnsemblePrediction(
                _votes(scores, cuts).mean(0) if shares else calls.astype(np.float64), calls
            )

        return answer

    return fit


def _fit_weighted(targets: np.ndarray, scores: np.ndarray) -> Combine:
    weights = skill(targets, scores)
    return lambda others: weighted_mean(others, weights)


def _fit_stack(targets: np.ndarray, scores: np.ndarray) -> Combine:
    """A logistic regression a finding on the models' logits; few parameters, yet they are learnt."""
    fitted = platt(targets, np.moveaxis(_checked(scores), 0, -1))
    return lambda others: fitted(np.moveaxis(_checked(others), 0, -1))


@dataclass(frozen=True)
class Ensemble:
    """A way to make one answer of many.

    Args:
        name: its key.
        title: for menus and tables.
        family: "CTP" or "PTC".
        fit: targets (N, L), scores (M, N, L), threshold rule → a function of scores (M, N, L).
        summary: one sentence for a reader, with its tie rule.
    """

    name: str
    title: str
    family: str
    fit: Fit
    summary: str


ENSEMBLES: Final[dict[str, Ensemble]] = {
    record.name: record
    for record in (
        Ensemble(
            "ctp_mean",
            "CTP mean",
            "CTP",
            _combine_then_predict(lambda *_: mean),
            "The mean of the scores, then a threshold.",
        ),
        Ensemble(
            "ctp_weighted",
            "CTP weighted",
            "CTP",
            _combine_then_predict(_fit_weighted),
            "The mean weighed, a finding at a time, by each model's AUROC − ½ on the validation studies.",
        ),
        Ensemble(
            "ctp_logit",
            "CTP logit mean",
            "CTP",
            _combine_then_predict(lambda *_: logit_mean),
            "The sigmoid of the mean logit, then a threshold: a sure model counts more.",
        ),
        Ensemble(
            "ptc_majority",
            "PTC label-wise",
            "PTC",
            _predict_then_combine(majority, shares=True),
            "Each model calls; a finding needs more than half of them. At exactly half, how far the scores "
            "lie above the thresholds on the mean decides.",
        ),
        Ensemble(
            "ptc_any",
            "PTC any",
            "PTC",
            _predict_then_combine(lambda s, t: quorum(s, t, 1), shares=True),
            "Called where a single model calls it.",
        ),
        Ensemble(
            "ptc_all",
            "PTC all",
            "PTC",
            _predict_then_combine(lambda s, t: quorum(s, t, len(s)), shares=True),
            "Called only where every model calls it.",
        ),
        Ensemble(
            "ptc_mode",
            "PTC mode",
            "PTC",
            _predict_then_combine(most_frequent_set, shares=False),
            "The set of findings that most models give; of sets equally frequent the one with the fewest "
            "labels against it, then that of the model named first.",
        ),
        Ensemble(
            "stacking",
            "stacking",
            "CTP",
            _combine_then_predict(_fit_stack),
            "A logistic regression a finding on the models' logits, learnt on the validation studies.",
        ),
    )
}


def ensemble(name: str) -> Ensemble:
    """The ensemble of this name.

    Raises:
        InputError: there is none; the sentence lists those there are.
    """
    return look_up("ensemble", name, ENSEMBLES)


def _votes(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """What each model calls: (M, N, L), thresholds (M, L) → (M, N, L) bool."""
    return _checked(scores) >= np.asarray(thresholds)[:, None]


def _checked(scores: np.ndarray) -> np.ndarray:
    values = np.asarray(scores, np.float64)
    if values.ndim != 3 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            "An ensemble takes the scores of its models, (M, N, L) with M at least 1, in [0, 1]; "
            f"got shape {values.shape}."
        )
    return values
