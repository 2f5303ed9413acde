"""Agreement beyond chance of two or more models, and the images on which they disagree."""

import numpy as np

from cxrbench.errors import InputError

__all__ = ["cohen_kappa", "disagreement", "fleiss_kappa"]


def cohen_kappa(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cohen's κ of two models: (observed − expected agreement) ÷ (1 − expected agreement).

    Args:
        first: (N, L) bool: calls of one model.
        second: (N, L) bool: calls of the other.

    Returns:
        (L,) in [−1, 1]: 1 for full agreement, 0 for that of chance; NaN where all calls of both are the same.

    Reference: Cohen 1960, doi:10.1177/001316446002000104.
    """
    from sklearn.metrics import cohen_kappa_score  # here: its import takes a second

    both = _checked(np.stack([np.asarray(first), np.asarray(second)]))
    kappa = np.full(both.shape[2], np.nan)
    for finding in np.flatnonzero(both.any((0, 1)) & ~both.all((0, 1))):  # scikit-learn warns about others
        kappa[finding] = cohen_kappa_score(*both[:, :, finding])
    return kappa


def fleiss_kappa(calls: np.ndarray) -> np.ndarray:
    """Fleiss' κ of M models: agreement of pairs, beyond what their mean positive rate explains.

    For two models it equals Scott's π, not Cohen's κ: the models are exchangeable.

    Args:
        calls: (M, N, L) bool, M ≥ 2 models.

    Returns:
        (L,), NaN where all calls of all models are the same.

    Reference: Fleiss 1971, doi:10.1037/h0031619.
    """
    # scikit-learn has no Fleiss' κ.
    raters = _checked(calls)
    count = len(raters)
    positive = raters.sum(0).astype(np.float64)  # (N, L)
    negative = count - positive
    agreeing = (positive * (positive - 1) + negative * (negative - 1)) / (count * (count - 1))
    rate = _positive_rate(raters.reshape(-1, raters.shape[2]))
    observed = agreeing.mean(0) if len(agreeing) else np.full(raters.shape[2], np.nan)
    beyond_chance = 1 - (rate**2 + (1 - rate) ** 2)
    kappa = np.full(beyond_chance.shape, np.nan)
    np.divide(observed - 1 + beyond_chance, beyond_chance, out=kappa, where=beyond_chance > 1e-12)
    return kappa


def disagreement(calls: np.ndarray) -> np.ndarray:
    """Disagreement of the models on each image: the share of the minority, from 0 (all agree) to 0.5.

    Args:
        calls: (M, N, L) bool.

    Returns:
        (N, L).
    """
    share: np.ndarray = _checked(calls).mean(0)
    return np.asarray(np.minimum(share, 1 - share))


def _positive_rate(calls: np.ndarray) -> np.ndarray:
    return np.asarray(calls.mean(0)) if len(calls) else np.full(calls.shape[1], np.nan)


def _checked(calls: np.ndarray) -> np.ndarray:
    calls = np.asarray(calls)
    if calls.ndim != 3 or len(calls) < 2 or calls.dtype != bool:
        raise InputError(
            f"Agreement needs boolean calls (M, N, L) of two models or more; "
            f"got {calls.dtype} of shape {calls.shape}."
        )
    return calls
