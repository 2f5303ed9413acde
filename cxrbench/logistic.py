"""Logistic regression with shrinkage towards given coefficients, and logits of scores."""

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

__all__ = ["clipped_logits", "fit_logistic"]

_EDGE: Final = 1e-6  # scores of 0 and 1 have no finite logit


def clipped_logits(scores: np.ndarray) -> np.ndarray:
    """Logits log(s ÷ (1 − s)) of scores of any shape, clipped to [1e-6, 1 − 1e-6]."""
    logits: np.ndarray = logit(np.clip(np.asarray(scores, np.float64), _EDGE, 1 - _EDGE))
    return logits


def fit_logistic(
    design: np.ndarray, truth: np.ndarray, *, prior: np.ndarray, precision: np.ndarray
) -> np.ndarray:
    """Fit coefficients θ that minimise Σ log-loss(truth, σ(design θ)) + ½ Σ precision · (θ − prior)².

    scikit-learn's ``LogisticRegression`` shrinks towards 0 and takes no offset, so it cannot express a prior
    such as the unchanged score (coefficient 1): with few positives, its results differ by more than 0.1.

    Args:
        design: (N, F) features; with a column of ones for an intercept.
        truth: (N,) of 1 and 0.
        prior: (F,) coefficients to shrink towards.
        precision: (F,) strength of the shrinkage, above 0, in units of examples.

    Returns:
        (F,) float64.
    """
    count = len(truth)

    # Divided by the number of examples, so that the tolerance does not depend on it.
    def loss(theta: np.ndarray) -> float:
        z = design @ theta
        penalty = (precision * (theta - prior) ** 2).sum() / 2
        return float((np.logaddexp(0, z) - truth * z).sum() + penalty) / count

    def gradient(theta: np.ndarray) -> np.ndarray:
        slope: np.ndarray = design.T @ (expit(design @ theta) - truth) + precision * (theta - prior)
        return slope / count

    def hessian(theta: np.ndarray) -> np.ndarray:
        p = expit(design @ theta)
        curvature: np.ndarray = (design * (p * (1 - p))[:, None]).T @ design + np.diag(precision)
        return curvature / count

    result = minimize(
        loss, prior, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-8, "maxiter": 200}
    )
    return np.asarray(result.x)
