"""Late fusion: logistic regression on the image's logit, age, sex and view."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cxrbench.logistic import clipped_logits, fit_logistic

__all__ = ["Fusion", "fit_fusion"]


@dataclass(frozen=True, eq=False)
class Fusion:
    """For each finding: ``logit = a·z + w·c + b``, z of the image, c the clinical features.

    Where c is unknown its columns are 0 (`cxrbench.data.Clinical`), so it adds nothing but what "unknown"
    itself was found to mean.

    Args:
        weights: (L, 1 + F): of the image's logit, then of the features.
        bias: (L,).
        fitted: (L,) bool; where there was nothing to learn from, the image's logit passes as it is.
    """

    weights: np.ndarray
    bias: np.ndarray
    fitted: np.ndarray

    def scores(self, scores: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Scores of the image alone (N, L) and features (N, F) → scores of both (N, L) in [0, 1]."""
        logits = clipped_logits(scores)
        fused = logits * self.weights[:, 0] + features @ self.weights[:, 1:].T + self.bias
        fused_scores: np.ndarray = expit(np.where(self.fitted, fused, logits))
        return fused_scores


def fit_fusion(
    scores: np.ndarray, features: np.ndarray, targets: np.ndarray, *, penalty: float = 1.0
) -> Fusion:
    """Fit on studies that the network has not learnt from: on those its logits would look too sure.

    Minimises ``Σ log-loss + penalty/2 · |θ − θ₀|²`` for each finding; θ₀ is the image's logit as it
    is, so that few studies change little. The bias is free, as far as the studies determine it.

    Args:
        scores: (N, L) in [0, 1].
        features: (N, F).
        targets: (N, L) of 1, 0 or NaN.
        penalty: how many studies' worth of doubt there is about a weight; above 0.

    Returns:
        The fusion; a finding without a known positive or negative is left alone.
    """
    logits, labels = clipped_logits(scores), targets.shape[1]
    prior = np.zeros(features.shape[1] + 2)
    prior[0] = 1.0
    precision = np.full(len(prior), penalty)
    precision[-1] = 1e-6
    found = np.tile(prior, (labels, 1))
    fitted = np.zeros(labels, bool)
    for label in range(labels):
        known = ~np.isnan(targets[:, label])
        truth = targets[known, label]
        if not (truth == 1).any() or not (truth == 0).any():
            continue
        design = np.column_stack([logits[known, label], features[known], np.ones(known.sum())])
        found[label], fitted[label] = fit_logistic(design, truth, prior=prior, precision=precision), True
    return Fusion(found[:, :-1], found[:, -1], fitted)
