"""Logistic regression that is shrunk towards given coefficients, and the logits it works on."""

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

__all__ = ["clipped_logits", "fit_logistic"]

_EDGE: Final = 1e-6  # scores of 0 and 1 have no logit


def clipped_logits(scores: np.ndarray) -> np.ndarray:
    """log(s ÷ (1 − s)) of scores of any shape, clipped to [1e-6, 1 − 1e-6]."""
    return logit(np.clip(np.asarray(scores, np.float64), _EDGE, 1 - _EDGE))


def fit_logistic(
    design: np.ndarray, truth: np.ndarray, *, prior: np.ndarray, precision: np.ndarray
) -> np.ndarray:
    """The coefficients θ that minimise Σ log-loss(truth, σ(design θ)) + ½ Σ precision · (θ − prior)².

    scikit-learn's ``LogisticRegression`` shrinks towards 0 and takes no offset, so it cannot express a prior
    such as "the score as it is" (coefficient 1): with few positives, its answers differ by more than 0.1.

    Args:
        design: (N, F) features; a column of ones where an intercept is wanted.
        truth: (N,) of 1 and 0.
        prior: (F,) the coefficients without any example.
        precision: (F,) above 0: how many examples' worth of trust there is in each.

    Returns:
        (F,) float64.
    """
    count = len(truth)

    # All three are divided by the number of examples, so that the tolerance means the same for any of it.
    def loss(at: np.ndarray) -> float:
        z = design @ at
        return (
            float((np.logaddexp(0, z) - truth * z).sum() + (precision * (at - prior) ** 2).sum() / 2) / count
        )

    def gradient(at: np.ndarray) -> np.ndarray:
        return (design.T @ (expit(design @ at) - truth) + precision * (at - prior)) / count

    def hessian(at: np.ndarray) -> np.ndarray:
        p = expit(design @ at)
        return ((design * (p * (1 - p))[:, None]).T @ design + np.diag(precision)) / count

    found = minimize(
        loss, prior, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-8, "maxiter": 200}
    )
    return found.x
