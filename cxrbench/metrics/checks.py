"""Checks of the arrays that metrics take."""

import numpy as np

from cxrbench.errors import InputError

__all__ = ["check_calls", "check_scores"]


def check_scores(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of floats (N, L); scores keep their precision, which decides about ties.

    Raises:
        InputError: shapes that differ, targets other than 1, 0 and NaN, or NaN scores of known targets.
    """
    truth, values = np.asarray(targets, np.float64), np.asarray(scores)
    values = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
    if truth.ndim != 2 or truth.shape != values.shape:
        raise InputError(
            f"Targets and scores must be (N, L) both; got shapes {truth.shape} and {values.shape}."
        )
    if not (np.isnan(truth) | np.isin(truth, (0, 1))).all():
        raise InputError(
            "Targets must be 1, 0 or NaN to be ranked; apply a policy to uncertain labels first."
        )
    if np.isnan(values[~np.isnan(truth)]).any():
        raise InputError("Scores must be numbers wherever there is a target; got NaN.")
    return truth, values


def check_calls(targets: np.ndarray, calls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets as floats and calls as they are, (N, L) both.

    Raises:
        InputError: shapes that differ, targets other than 1, 0 and NaN, or calls that are not bool.
    """
    truth, called = np.asarray(targets, np.float64), np.asarray(calls)
    if truth.ndim != 2 or truth.shape != called.shape:
        raise InputError(
            f"Targets and calls must be (N, L) both; got shapes {truth.shape} and {called.shape}."
        )
    if not (np.isnan(truth) | np.isin(truth, (0, 1))).all():
        raise InputError(
            "Targets must be 1, 0 or NaN to be judged; apply a policy to uncertain labels first."
        )
    if called.dtype != bool:
        raise InputError(f"Calls must be true or false; got {called.dtype}: compare scores with a threshold.")
    return truth, called
