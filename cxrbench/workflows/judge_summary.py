"""Judged maps summarised: means over films with intervals by patient, and paired differences of methods."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cxrbench.metrics.intervals import Interval, Statistic, bootstrap

__all__ = ["FilmMeans", "Verdict", "film_means", "gains", "means", "summary", "verdict"]

# Of a paired difference; "open" where its interval includes 0, None where it says nothing.
Verdict = Literal["better", "worse", "open"]


@dataclass(frozen=True, eq=False)
class FilmMeans:
    """The values of one model as means over a film's findings.

    Args:
        model: name of the model.
        criteria: (C,) names, in the order of the table.
        methods: (M,) keys, in the order of the table.
        patients: (F,) patient of each film.
        values: (F, C, M), NaN where no finding of the film has a value.
        best: (C, M) mean of the best that a map of the grid could have got.
        judged: (C, M) whether the criterion was computed for the method at all.
    """

    model: str
    criteria: tuple[str, ...]
    methods: tuple[str, ...]
    patients: np.ndarray
    values: np.ndarray
    best: np.ndarray
    judged: np.ndarray


def summary(table: pd.DataFrame, *, control: str = "random") -> pd.DataFrame:
    """Means over films with intervals by patient, and the paired difference from a control.

    A film's value is the mean over its findings. The difference is of films on which both are defined.

    Args:
        table: as from ``judge``.
        control: the method that the others are compared with.

    Returns:
        One row per model, criterion and method: ``mean``, ``low``, ``high``, ``films``, ``best`` (mean of the
        best that a map of the grid could have got), ``gain`` (mean minus the control's, paired),
        ``gain_low``, ``gain_high``.
    """
    keys = ["model", "criterion", "method"]
    return means(table).merge(gains(table, control), on=keys, how="left", sort=False)


def means(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of ``summary`` that need no control: ``mean``, ``low``, ``high``, ``films``, ``best``."""
    parts = []
    for films in film_means(table):
        columns = _bounds(_interval(films.values, films.patients), "mean", "low", "high")
        columns |= {"films": np.isfinite(films.values).sum(0), "best": films.best}
        parts.append(_rows(films, columns))
    return _joined(parts, "mean", "low", "high", "films", "best")


def gains(table: pd.DataFrame, control: str) -> pd.DataFrame:
    """The columns of ``summary`` that compare a method with a control: ``gain``, ``gain_low``, ``gain_high``.

    NaN where the control was not judged.
    """
    parts = []
    for films in film_means(table):
        paired = np.full_like(films.values, np.nan)
        if control in films.methods:
            paired = films.values - films.values[:, :, [films.methods.index(control)]]
        interval = _interval(paired, films.patients)
        parts.append(_rows(films, _bounds(interval, "gain", "gain_low", "gain_high")))
    return _joined(parts, "gain", "gain_low", "gain_high")


def verdict(low: float, high: float, *, higher_is_better: bool | None) -> Verdict | None:
    """Whether a method is better than a control: only where the interval of the difference excludes 0.

    Args:
        low: lower bound of the method's mean minus the control's.
        high: upper bound.
        higher_is_better: as of ``Criterion``.

    Returns:
        None for a criterion without a direction, and where the interval is undefined.
    """
    if higher_is_better is None or np.isnan(low) or np.isnan(high):
        return None
    if low <= 0 <= high:
        return "open"
    return "better" if (low > 0) == higher_is_better else "worse"


def film_means(table: pd.DataFrame) -> Iterator[FilmMeans]:
    """The means over findings of each model, in the order of the table."""
    for model, rows in table.groupby("model", sort=False, observed=True):
        codes, names = {}, {}
        for column in ("film", "criterion", "method"):
            codes[column], found = pd.factorize(rows[column])
            names[column] = tuple(found)
        shape = (len(names["film"]), len(names["criterion"]), len(names["method"]))
        place = np.ravel_multi_index((codes["film"], codes["criterion"], codes["method"]), shape)
        values = _grouped_mean(place, rows["value"].to_numpy(float), shape)
        best = _grouped_mean(place, rows["best"].to_numpy(float), shape)
        first = np.full(shape[0], -1)
        first[codes["film"][::-1]] = np.arange(len(rows))[::-1]
        patients = rows["patient"].to_numpy()[first]
        judged = np.zeros(shape[1:], bool)
        judged[codes["criterion"], codes["method"]] = True
        means_of_best = _mean(best)
        yield FilmMeans(
            str(model), names["criterion"], names["method"], patients, values, means_of_best, judged
        )


def _joined(parts: list[pd.DataFrame], *numbers: str) -> pd.DataFrame:
    """The tables of all models as one; without rows where there is none."""
    empty = pd.DataFrame(columns=["model", "criterion", "method", *numbers])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _grouped_mean(place: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Mean of the defined values at each place; NaN where there is none."""
    size = int(np.prod(shape))
    defined = np.isfinite(values)
    count = np.bincount(place[defined], minlength=size)
    total = np.bincount(place[defined], weights=values[defined], minlength=size)
    return _ratio(total, count).reshape(shape)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of the defined values; NaN where there is none."""
    defined = np.isfinite(values)
    count = defined.sum(0)
    total = np.where(defined, values, 0).sum(0)
    return _ratio(total, count)


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Total ÷ count; NaN where the count is 0."""
    ratio = np.full(total.shape, np.nan)
    np.divide(total, count, out=ratio, where=count > 0)
    return ratio


def _interval(values: np.ndarray, patients: np.ndarray) -> Interval:
    """Means over films, (F, C, M) → an interval of shape (C, M); one set of resamples for all."""
    return bootstrap(_weighted_mean(values), patients)


def _weighted_mean(values: np.ndarray) -> Statistic:
    """Weights (F, R) → weighted means of the defined values, (R, C, M)."""
    defined = np.isfinite(values).reshape(len(values), -1)
    filled = np.where(defined, values.reshape(len(values), -1), 0.0)
    counted = defined.astype(np.float64)

    def statistic(weights: np.ndarray) -> np.ndarray:
        drawn = weights.T.astype(np.float64)
        return _ratio(drawn @ filled, drawn @ counted).reshape(-1, *values.shape[1:])

    return statistic


def _bounds(interval: Interval, mean: str, low: str, high: str) -> dict[str, np.ndarray]:
    return {mean: interval.estimate, low: interval.low, high: interval.high}


def _rows(films: FilmMeans, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """One row per criterion and method; those that were not judged are left out."""
    criteria, methods = np.meshgrid(films.criteria, films.methods, indexing="ij")
    table = pd.DataFrame(
        {"model": films.model, "criterion": criteria.ravel(), "method": methods.ravel()}
        | {name: values.ravel() for name, values in columns.items()}
    )
    return table[films.judged.ravel()]
