"""Late fusion: logistic regression on the image's logit, age, sex and view."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cxrbench.logistic import clipped_logits, fit_logistic

__all__ = ["Fusion", "fit_fusion"]


@dataclass(frozen=True, eq=False)
class Fusion:
    """One logistic regression per finding: ``logit = a·z + w·c + b``, z the image's logit, c the features.

    Unknown features are 0, with an indicator column for "unknown" (`cxrbench.data.Clinical`).

    Args:
        weights: (L, 1 + F), of the image's logit, then of the features.
        bias: (L,).
        fitted: (L,) bool; a finding that was not fitted keeps the image's logit.
    """

    weights: np.ndarray
    bias: np.ndarray
    fitted: np.ndarray

    def scores(self, scores: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Image scores (N, L) and features (N, F) → fused scores (N, L) in [0, 1]."""
        logits = clipped_logits(scores)
        fused = logits * self.weights[:, 0] + features @ self.weights[:, 1:].T + self.bias
        fused_scores: np.ndarray = expit(np.where(self.fitted, fused, logits))
        return fused_scores


def fit_fusion(
    scores: np.ndarray, features: np.ndarray, targets: np.ndarray, *, penalty: float = 1.0
) -> Fusion:
    """Fit a late fusion, on studies that the network was not trained on.

    Minimises ``Σ log-loss + penalty/2 · |θ − θ₀|²`` for each finding, where θ₀ is the image's logit
    unchanged. The bias is practically not penalised.

    Args:
        scores: (N, L) in [0, 1].
        features: (N, F).
        targets: (N, L) of 1, 0 or NaN.
        penalty: strength of the shrinkage towards θ₀, greater than 0.

    Returns:
        The fusion; a finding without known positives or negatives is not fitted.
    """
    logits, labels = clipped_logits(scores), targets.shape[1]
    prior = np.zeros(features.shape[1] + 2)
    prior[0] = 1.0
    precision = np.full(len(prior), penalty)
    precision[-1] = 1e-6
    coefficients = np.tile(prior, (labels, 1))
    fitted = np.zeros(labels, bool)
    for label in range(labels):
        known = ~np.isnan(targets[:, label])
        truth = targets[known, label]
        if not (truth == 1).any() or not (truth == 0).any():
            continue
        design = np.column_stack([logits[known, label], features[known], np.ones(known.sum())])
        coefficients[label], fitted[label] = (
            fit_logistic(design, truth, prior=prior, precision=precision),
            True,
        )
    return Fusion(coefficients[:, :-1], coefficients[:, -1], fitted)
