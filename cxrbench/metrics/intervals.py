"""Patient-level bootstrap confidence intervals, for every metric.

Images of one patient are correlated, so patients are resampled, not images. A resample is a number of copies
per patient, that is, one weight per image; a statistic is a function of such weights (see ``statistics``),
which sorts its scores once and not once per resample. The difference of two models is the difference of two
statistics of the same weights, hence paired:

    first, second = statistics.auroc(targets, a), statistics.auroc(targets, b)
    interval = bootstrap(first, patients)
    difference = bootstrap(statistics.difference(first, second), patients)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.errors import InputError

__all__ = ["Interval", "Statistic", "bootstrap", "resamples"]

# Weights (N, R) of N images in R resamples, whole numbers → values (R, …), undefined ones NaN.
Statistic = Callable[[np.ndarray], np.ndarray]

_CHUNK: Final = 50  # resamples at a time: their weights are held at once


@dataclass(frozen=True, eq=False)
class Interval:
    """A statistic with its bootstrap confidence interval; arrays of the statistic's shape (…), often (L,).

    Args:
        estimate: on the original studies.
        low: lower bound; NaN where many resamples leave the statistic undefined.
        high: upper bound.
        p: two-sided p-value of the statistic being 0: twice the smaller share of resamples on one side of 0.
            Meaningful for differences only; never below 2 ÷ (resamples + 1).
        level: confidence level.
        replicates: (R, …) values on the resamples.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    level: float
    replicates: np.ndarray


def bootstrap(
    statistic: Statistic,
    patients: np.ndarray,
    *,
    count: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile confidence interval of a statistic, resampling patients with replacement.

    The same patients and seed give the same resamples, so the results of separate calls are paired.

    Args:
        statistic: function of weights (N, R).
        patients: (N,) patient of each image, any values; all different for independent images.
        count: number of resamples.
        level: confidence level, in (0, 1).
        seed: random seed of the resamples.

    Returns:
        The interval. Where at least a tenth of the resamples leave the statistic undefined, as with very few
        positives, bounds and p are NaN: the remaining resamples would be a biased selection.

    Raises:
        InputError: there is no image, or a count or level is out of range.

    Reference: Efron 1979, doi:10.1214/aos/1176344552; by cluster, Field & Welsh 2007,
        doi:10.1111/j.1467-9868.2007.00593.x.
    """
    if not 0 < level < 1:
        raise InputError(f"level must lie in (0, 1), for example 0.95; got {level}.")
    _check(patients, count)  # before the statistic looks at the weights
    estimate = statistic(np.ones((len(patients), 1), np.float32))[0]
    replicates = np.concatenate([statistic(weights) for weights in resamples(patients, count, seed)])
    undefined = np.isnan(replicates).mean(0) >= 0.1
    tail = (1 - level) / 2
    filled = np.where(undefined, 0, replicates)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    below, above = (filled <= 0).sum(0), (filled >= 0).sum(0)
    p = np.minimum(1.0, 2 * (np.minimum(below, above) + 1) / (count + 1))
    masked = np.isnan(estimate) | undefined
    low, high, p = (np.where(masked, np.nan, values) for values in (low, high, p))
    return Interval(np.asarray(estimate), low, high, p, level, replicates)


def resamples(patients: np.ndarray, count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield weights (N, ≤ 50) float32 of the images in ``count`` resamples, in chunks.

    Each resample draws as many patients as there are; all images of a patient have the same weight.

    Raises:
        InputError: there is no image, or ``count`` is below 1.
    """
    _check(patients, count)
    names, patient_index = np.unique(np.asarray(patients), return_inverse=True)
    random = np.random.default_rng(seed)
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        drawn = random.integers(len(names), size=(size, len(names)))
        cells = drawn + np.arange(size)[:, None] * len(names)
        copies = np.bincount(cells.ravel(), minlength=size * len(names)).reshape(size, len(names))
        yield np.ascontiguousarray(copies.T.astype(np.float32)[patient_index])


def _check(patients: np.ndarray, count: int) -> None:
    if not len(patients) or count < 1:
        raise InputError(
            f"Resampling needs at least 1 image and 1 resample; got {len(patients)} and {count}."
        )
