"""Checks of the arrays that metrics take."""

import numpy as np

from cxrbench.errors import InputError

__all__ = ["check_calls", "check_scores"]


def check_scores(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Validate targets and scores, (N, L) each, and return them as floats; scores keep their precision.

    Raises:
        InputError: the shapes differ, targets other than 1, 0 and NaN, or NaN scores of known targets.
    """
    truth, values = np.asarray(targets, np.float64), np.asarray(scores)
    values = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
    if truth.ndim != 2 or truth.shape != values.shape:
        raise InputError(
            f"Targets and scores must both be (N, L); got shapes {truth.shape} and {values.shape}."
        )
    if not (np.isnan(truth) | np.isin(truth, (0, 1))).all():
        raise InputError("Targets must be 1, 0 or NaN; apply a policy to uncertain labels first.")
    if np.isnan(values[~np.isnan(truth)]).any():
        raise InputError("Scores must not be NaN where there is a target; got NaN.")
    return truth, values


def check_calls(targets: np.ndarray, calls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Validate targets and calls (predicted labels), (N, L) each, and return targets as floats.

    Raises:
        InputError: the shapes differ, targets other than 1, 0 and NaN, or calls that are not bool.
    """
    truth, called = np.asarray(targets, np.float64), np.asarray(calls)
    if truth.ndim != 2 or truth.shape != called.shape:
        raise InputError(
            f"Targets and calls must both be (N, L); got shapes {truth.shape} and {called.shape}."
        )
    if not (np.isnan(truth) | np.isin(truth, (0, 1))).all():
        raise InputError("Targets must be 1, 0 or NaN; apply a policy to uncertain labels first.")
    if called.dtype != bool:
        raise InputError(
            f"Calls must be true or false; got {called.dtype}: compare scores with a threshold first."
        )
    return truth, called
