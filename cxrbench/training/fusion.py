"""Late fusion: a finding's score from the image's logit and age, sex and view, by logistic regression."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Fusion", "fit_fusion"]

_ROUNDS = 50


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
        logits = _logit(scores)
        fused = logits * self.weights[:, 0] + features @ self.weights[:, 1:].T + self.bias
        return _sigmoid(np.where(self.fitted, fused, logits))


def fit_fusion(
    scores: np.ndarray, features: np.ndarray, targets: np.ndarray, *, penalty: float = 1.0
) -> Fusion:
    """Fit on studies that the network has not learnt from: on those its logits would look too sure.

    Minimises ``Σ log-loss + penalty/2 · |θ − θ₀|²`` for each finding by Newton's method; θ₀ is the image's
    logit as it is, so that few studies change little.

    Args:
        scores: (N, L) in [0, 1].
        features: (N, F).
        targets: (N, L) of 1, 0 or NaN.
        penalty: how many studies' worth of doubt there is about a weight; above 0.

    Returns:
        The fusion; a finding without a known positive or negative is left alone.
    """
    logits, labels = _logit(scores), targets.shape[1]
    start = np.zeros(features.shape[1] + 2)
    start[0] = 1.0
    found = np.tile(start, (labels, 1))
    fitted = np.zeros(labels, bool)
    for label in range(labels):
        known = ~np.isnan(targets[:, label])
        truth = targets[known, label]
        if not (truth == 1).any() or not (truth == 0).any():
            continue
        design = np.column_stack([logits[known, label], features[known], np.ones(known.sum())])
        found[label], fitted[label] = _newton(design, truth, start, penalty), True
    return Fusion(found[:, :-1], found[:, -1], fitted)


def _newton(design: np.ndarray, truth: np.ndarray, start: np.ndarray, penalty: float) -> np.ndarray:
    """The minimum; a step that does not go down is halved."""
    doubt = np.full(len(start), penalty)
    doubt[-1] = 1e-6  # the bias is free, as far as it is determined

    def cost(at: np.ndarray) -> float:
        z = design @ at
        return float((np.logaddexp(0, z) - truth * z).sum() + (doubt * (at - start) ** 2).sum() / 2)

    now, value = start, cost(start)
    for _ in range(_ROUNDS):
        p = _sigmoid(design @ now)
        slope = design.T @ (p - truth) + doubt * (now - start)
        curve = (design * (p * (1 - p))[:, None]).T @ design + np.diag(doubt)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and cost(now - size * step) > value:
            size /= 2
        now = now - size * step
        after = cost(now)
        if value - after < 1e-9 * max(1.0, abs(value)):
            break
        value = after
    return now


def _logit(scores: np.ndarray) -> np.ndarray:
    inside = np.clip(scores.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -z))
