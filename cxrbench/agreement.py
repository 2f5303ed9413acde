"""Agreement beyond chance: between two models, among several, and the cases on which they differ."""

import numpy as np

from cxrbench.errors import InputError

__all__ = ["cohen_kappa", "disagreement", "fleiss_kappa"]


def cohen_kappa(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cohen's κ of two raters: (observed − expected agreement) ÷ (1 − expected agreement).

    Args:
        first: (N, L) bool: what one model calls present.
        second: (N, L) bool: what the other does.

    Returns:
        (L,) in [−1, 1]: 1 full agreement, 0 that of chance; NaN where both always say the same one thing,
        since chance alone then agrees fully.

    Reference: Cohen 1960, doi:10.1177/001316446002000104.
    """
    from sklearn.metrics import cohen_kappa_score  # here: its import takes a second

    both = _checked(np.stack([np.asarray(first), np.asarray(second)]))
    kappa = np.full(both.shape[2], np.nan)
    for finding in np.flatnonzero(both.any((0, 1)) & ~both.all((0, 1))):  # scikit-learn warns of the others
        kappa[finding] = cohen_kappa_score(*both[:, :, finding])
    return kappa


def fleiss_kappa(calls: np.ndarray) -> np.ndarray:
    """Fleiss' κ of M raters: how often a pair of them agrees, beyond what their mean rate explains.

    For two raters it is Scott's π, which is not Cohen's κ: raters are not told apart.

    Args:
        calls: (M, N, L) bool, M ≥ 2 models.

    Returns:
        (L,), NaN where every model always says the same one thing.

    Reference: Fleiss 1971, doi:10.1037/h0031619.
    """
    raters = _checked(calls)
    count = len(raters)
    yes = raters.sum(0).astype(np.float64)  # (N, L)
    agreeing = (yes * (yes - 1) + (count - yes) * (count - yes - 1)) / (count * (count - 1))
    rate = _share(raters.reshape(-1, raters.shape[2]))
    observed = agreeing.mean(0) if len(agreeing) else np.full(raters.shape[2], np.nan)
    room = 1 - (rate**2 + (1 - rate) ** 2)  # scikit-learn has no Fleiss' κ
    return np.divide(observed - 1 + room, room, out=np.full(room.shape, np.nan), where=room > 1e-12)


def disagreement(calls: np.ndarray) -> np.ndarray:
    """How split the models are on each case: the share of the smaller camp, from 0 (all agree) to 0.5.

    Args:
        calls: (M, N, L) bool.

    Returns:
        (N, L).
    """
    share = _checked(calls).mean(0)
    return np.minimum(share, 1 - share)


def _share(yes: np.ndarray) -> np.ndarray:
    return yes.mean(0) if len(yes) else np.full(yes.shape[1], np.nan)


def _checked(calls: np.ndarray) -> np.ndarray:
    calls = np.asarray(calls)
    if calls.ndim != 3 or len(calls) < 2 or calls.dtype != bool:
        raise InputError(
            f"Agreement is between the calls of two models or more, (M, N, L) true or false; "
            f"got {calls.dtype} of shape {calls.shape}."
        )
    return calls
