"""Criteria judged by truth: does a criterion rank methods as the twins do?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.errors import InputError
from cxrbench.metrics import Interval, Statistic, bootstrap

__all__ = ["RankingAgreement", "criteria_by_truth", "kendall", "ranking_agreement"]

# Mean values that differ by less count as equal: methods that are equal by construction differ by rounding.
_TIE: Final = 1e-6


@dataclass(frozen=True, eq=False)
class RankingAgreement:
    """Kendall's τ between two rankings of methods, with an interval by patient.

    Args:
        tau: with its bootstrap confidence interval; NaN where it is undefined.
        methods: (M,) indices of the methods that both criteria judge.
        first: (M,) mean values of these methods under the first criterion.
        second: (M,) mean values under the second.
        rows: numbers of images and findings behind the two means.
    """

    tau: Interval
    methods: tuple[int, ...]
    first: np.ndarray
    second: np.ndarray
    rows: tuple[int, int]


def ranking_agreement(
    first: np.ndarray,
    second: np.ndarray,
    patients: np.ndarray,
    *,
    count: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> RankingAgreement:
    """Kendall's τ-b between the rankings of methods by two criteria: their means over images and findings.

    A method without any value under one of the criteria is left out. So is, for each criterion, a row in
    which another method has none: means over different rows could not be compared. Means that differ by less
    than 1e-6 tie. Patients are resampled, and both rankings are made anew from the same resample.

    Args:
        first: (N, M) values, one row per image and finding, one column per method; larger is better
            (``Criterion.rank_value``), NaN where undefined.
        second: (N, M), the same rows and methods.
        patients: (N,) patient of each row.
        count: number of resamples.
        level: confidence level.
        seed: of the resamples.

    Returns:
        τ in [−1, 1]; NaN for fewer than two methods, without a common row, or if a criterion ranks all
        methods equally.

    Raises:
        InputError: the shapes differ.

    Reference: Kendall 1945, doi:10.1093/biomet/33.3.239.
    """
    tables = [np.asarray(each, np.float64) for each in (first, second)]
    if tables[0].ndim != 2 or tables[0].shape != tables[1].shape or len(patients) != len(tables[0]):
        raise InputError(
            "The values of both criteria must be (N, M) with one patient per row; got "
            f"{tables[0].shape}, {tables[1].shape} and {len(patients)} patients."
        )
    judged = np.logical_and.reduce([(~np.isnan(table)).any(0) for table in tables])
    tables = [table[:, judged] for table in tables]
    means = [_means(table) for table in tables]

    def statistic(weights: np.ndarray) -> np.ndarray:
        return kendall(means[0](weights), means[1](weights))

    tau = bootstrap(statistic, np.asarray(patients), count=count, level=level, seed=seed)
    everything = np.ones((len(patients), 1), np.float32)
    return RankingAgreement(
        tau,
        tuple(np.flatnonzero(judged).tolist()),
        means[0](everything)[0],
        means[1](everything)[0],
        (_complete(tables[0]), _complete(tables[1])),
    )


def criteria_by_truth(
    values: Mapping[str, np.ndarray],
    truth: np.ndarray,
    patients: np.ndarray,
    *,
    count: int = 1000,
    seed: int = 0,
) -> dict[str, RankingAgreement]:
    """The agreement of several criteria with one that knows the truth: which of them can be trusted?

    Args:
        values: criterion → (N, M), as in ``ranking_agreement``.
        truth: (N, M) values of the criterion that knows the truth, such as single deletion.
        patients: (N,).
        count: number of resamples, the same for all.
        seed: of the resamples.

    Returns:
        By criterion, the most trustworthy first; undefined ones last.
    """
    found = {
        name: ranking_agreement(table, truth, patients, count=count, seed=seed)
        for name, table in values.items()
    }
    return dict(sorted(found.items(), key=lambda item: -np.nan_to_num(item[1].tau.estimate, nan=-2.0)))


def kendall(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's τ-b between pairs of rows (R, M): (R,); NaN where all values of a row tie, or one is NaN."""
    i, j = np.triu_indices(np.asarray(first).shape[1], 1)
    signs = [_signs(np.asarray(each, np.float64), i, j) for each in (first, second)]
    agreement = (signs[0] * signs[1]).sum(1)
    pairs = np.sqrt((signs[0] ** 2).sum(1) * (signs[1] ** 2).sum(1))
    tau = np.full(len(agreement), np.nan)
    np.divide(agreement, pairs, out=tau, where=pairs > 0)
    return tau


def _signs(values: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    difference = values[:, i] - values[:, j]
    signs: np.ndarray = np.where(np.abs(difference) < _TIE, 0, np.sign(difference))
    return signs


def _complete(table: np.ndarray) -> int:
    """Number of rows in which every method has a value."""
    return int((~np.isnan(table)).all(1).sum())


def _means(table: np.ndarray) -> Statistic:
    """Means of methods over the complete rows: weights (N, R) → (R, M)."""
    rows = np.flatnonzero((~np.isnan(table)).all(1))

    def statistic(weights: np.ndarray) -> np.ndarray:
        chosen = weights[rows].astype(np.float64)
        total = chosen.sum(0)[:, None]
        means = np.full((chosen.shape[1], table.shape[1]), np.nan)
        np.divide(chosen.T @ table[rows], total, out=means, where=total > 0)
        return means

    return statistic
