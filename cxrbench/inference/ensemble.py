"""Ensembles: combine then predict (CTP), or predict then combine (PTC).

Liz et al. 2022 (arXiv:2207.14408) compare these. An ensemble fits its thresholds (and weights) on validation
studies and then predicts for any others:

    predictions = ENSEMBLES["ctp_mean"].fit(targets, validation_scores, youden)(test_scores)

With thresholds per finding, CTP thresholds the combined score, PTC the scores of each model.
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
    """Combined scores and calls of an ensemble for N images.

    Args:
        scores: (N, L) in [0, 1]: the combined score, or the share of models that call the finding.
        calls: (N, L) bool.
    """

    scores: np.ndarray
    calls: np.ndarray


# Targets (N, L), scores (N, L) → thresholds (L,)
ThresholdRule = Callable[[np.ndarray, np.ndarray], np.ndarray]
Fitted = Callable[[np.ndarray], EnsemblePrediction]  # scores (M, N, L) → prediction
# Targets (N, L), scores (M, N, L), rule → fitted
Fit = Callable[[np.ndarray, np.ndarray, ThresholdRule], Fitted]
Combine = Callable[[np.ndarray], np.ndarray]  # scores (M, N, L) → (N, L)


def mean(scores: np.ndarray) -> np.ndarray:
    """Mean of the models' scores: (M, N, L) → (N, L); the CTP of the paper."""
    combined: np.ndarray = _checked(scores).mean(0)
    return combined


def logit_mean(scores: np.ndarray) -> np.ndarray:
    """Sigmoid of the mean logit: (M, N, L) → (N, L); a confident model counts more than in the mean."""
    combined: np.ndarray = expit(clipped_logits(_checked(scores)).mean(0))
    return combined


def weighted_mean(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean Σₘ wₘ sₘ: (M, N, L), weights (M, L) that sum to 1 over the models → (N, L)."""
    combined: np.ndarray = np.einsum("mnl,ml->nl", _checked(scores), weights)
    return combined


def skill(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Weights (M, L) proportional to AUROC − ½ on these studies; equal where no model is above chance."""
    areas = np.stack([auroc(targets, model_scores) for model_scores in _checked(scores)])
    gains = np.nan_to_num(areas, nan=0.5) - 0.5
    gains = np.maximum(gains, 0)
    total = gains.sum(0)
    return np.where(total > 0, gains / np.where(total > 0, total, 1), 1 / len(gains))


def quorum(scores: np.ndarray, thresholds: np.ndarray, least: int) -> np.ndarray:
    """Positive where at least ``least`` models vote for it: (M, N, L), thresholds (M, L) → (N, L) bool."""
    return np.asarray(_votes(scores, thresholds).sum(0) >= least)


def majority(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Positive where more than half of the models vote for it: (M, N, L), thresholds (M, L) → (N, L) bool.

    Ties (of an even number of models) are broken by the sign of the mean margin s − t over the models.
    """
    twice: np.ndarray = 2 * _votes(scores, thresholds).sum(0)
    margin: np.ndarray = (np.asarray(scores, np.float64) - thresholds[:, None]).mean(0)
    return np.where(twice == len(scores), margin >= 0, twice > len(scores))


def most_frequent_set(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Most frequent set of findings: (M, N, L), thresholds (M, L) → (N, L) bool.

    Ties, which are common with many findings, go to the set with the fewest differing votes over all models,
    then to that of the first model. The paper states no rule.
    """
    votes = _votes(scores, thresholds)  # (M, N, L)
    same = np.stack([(votes == vote).all(2).sum(0) for vote in votes])  # (M, N): models with the same set
    against = np.stack([(votes != vote).sum((0, 2)) for vote in votes])  # (M, N): differing votes
    rank = same * (votes[0].size + 1) - against  # frequency first
    chosen: np.ndarray = np.take_along_axis(votes, rank.argmax(0)[None, :, None], axis=0)[0]
    return chosen


def _combine_then_predict(fit_combine: Callable[[np.ndarray, np.ndarray], Combine]) -> Fit:
    """CTP: combine the scores, then apply the threshold that the rule chooses for them."""

    def fit(targets: np.ndarray, scores: np.ndarray, rule: ThresholdRule) -> Fitted:
        combine = fit_combine(targets, scores)
        thresholds = rule(targets, combine(scores))

        def predict(scores: np.ndarray) -> EnsemblePrediction:
            combined = combine(scores)
            return EnsemblePrediction(combined, combined >= thresholds)

        return predict

    return fit


def _predict_then_combine(vote: Callable[[np.ndarray, np.ndarray], np.ndarray], *, shares: bool) -> Fit:
    """PTC: apply each model's own thresholds, then vote."""

    def fit(targets: np.ndarray, scores: np.ndarray, rule: ThresholdRule) -> Fitted:
        thresholds = np.stack([rule(targets, model_scores) for model_scores in _checked(scores)])

        def predict(scores: np.ndarray) -> EnsemblePrediction:
            if len(scores) != len(thresholds):
                raise InputError(f"The ensemble was fitted for {len(thresholds)} models; got {len(scores)}.")
            calls = vote(scores, thresholds)
            combined = _votes(scores, thresholds).mean(0) if shares else calls.astype(np.float64)
            return EnsemblePrediction(combined, calls)

        return predict

    return fit


def _fit_weighted(targets: np.ndarray, scores: np.ndarray) -> Combine:
    weights = skill(targets, scores)
    return lambda new_scores: weighted_mean(new_scores, weights)


def _fit_stack(targets: np.ndarray, scores: np.ndarray) -> Combine:
    """A logistic regression a finding on the models' logits; few parameters, yet they are learnt."""
    calibrate = platt(targets, np.moveaxis(_checked(scores), 0, -1))
    return lambda new_scores: calibrate(np.moveaxis(_checked(new_scores), 0, -1))


@dataclass(frozen=True)
class Ensemble:
    """A way to combine the predictions of several models.

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
            "The mean of the scores, weighted per finding by each model's AUROC − ½ on validation studies.",
        ),
        Ensemble(
            "ctp_logit",
            "CTP logit mean",
            "CTP",
            _combine_then_predict(lambda *_: logit_mean),
            "The sigmoid of the mean logit, then a threshold: a confident model counts more.",
        ),
        Ensemble(
            "ptc_majority",
            "PTC label-wise",
            "PTC",
            _predict_then_combine(majority, shares=True),
            "A majority vote of the models. Ties are broken by how far, on average, the scores lie above the "
            "thresholds.",
        ),
        Ensemble(
            "ptc_any",
            "PTC any",
            "PTC",
            _predict_then_combine(lambda s, t: quorum(s, t, 1), shares=True),
            "Positive where at least one model predicts it.",
        ),
        Ensemble(
            "ptc_all",
            "PTC all",
            "PTC",
            _predict_then_combine(lambda s, t: quorum(s, t, len(s)), shares=True),
            "Positive only where every model predicts it.",
        ),
        Ensemble(
            "ptc_mode",
            "PTC mode",
            "PTC",
            _predict_then_combine(most_frequent_set, shares=False),
            "The most frequent set of findings. Ties go to the set with the fewest differing votes, then to "
            "that of the first model.",
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
    """Return the ensemble of this name.

    Raises:
        InputError: the name is unknown; the message lists the known ones.
    """
    return look_up("ensemble", name, ENSEMBLES)


def _votes(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Calls of each model: (M, N, L), thresholds (M, L) → (M, N, L) bool."""
    return _checked(scores) >= np.asarray(thresholds)[:, None]


def _checked(scores: np.ndarray) -> np.ndarray:
    values = np.asarray(scores, np.float64)
    if values.ndim != 3 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"An ensemble needs scores (M, N, L) in [0, 1], with M at least 1; got shape {values.shape}."
        )
    return values
