"""CheXlocalize's evaluation (Saporta et al. 2022): overlap and hits of each film, and its intervals by film.

Results are tables with one row per film, sorted, and one column per finding, as in CheXlocalize's files;
undefined values are NaN. Its bootstrap resamples films; ``intervals_by_patient`` resamples patients, since
the films of one patient are correlated.

Reference: Saporta et al. 2022, doi:10.1038/s42256-022-00536-x.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.truth import CHEXLOCALIZE, Masks, Runs, patient_of
from cxrbench.errors import InputError
from cxrbench.judge.localisation import hit, points_hit
from cxrbench.judge.segmentation import iou
from cxrbench.metrics import statistics
from cxrbench.metrics.intervals import Interval, bootstrap

__all__ = [
    "check_sizes",
    "film_replicates",
    "film_summary",
    "intervals_by_patient",
    "iou_results",
    "map_hit",
    "point_results",
    "results_table",
]

_COUNT: Final = 1000  # resamples
_NAN: Final = float("nan")


def iou_results(truth: Masks, predicted: Masks, *, true_positives_only: bool = True) -> pd.DataFrame:
    """IoU of predicted and true segmentations, (films, findings).

    Args:
        truth: film → finding → mask. A finding that is not named is not there.
        predicted: likewise; a film that is not named has no segmentation.
        true_positives_only: NaN where either is empty, and only the films of ``truth``. Otherwise also the
            films of ``predicted`` alone, and a missed or false segmentation scores 0.

    Raises:
        InputError: two masks of one film differ in size.
    """
    films = set(truth) if true_positives_only else set(truth) | set(predicted)
    values = {
        film: {
            finding: _iou(
                truth.get(film, {}).get(finding),
                predicted.get(film, {}).get(finding),
                true_positives_only,
                f"{film}, {finding}",
            )
            for finding in CHEXLOCALIZE
        }
        for film in films
    }
    return results_table(values)


def map_hit(relevance: np.ndarray, truth: Runs | None, name: str) -> float:
    """Whether the first largest pixel of a map lies in a mask: 1 or 0; NaN if the finding is not there.

    Args:
        relevance: (H, W), enlarged to the film.
        truth: the mask, None for a finding that is not there.
        name: of film and finding, for messages.

    Raises:
        InputError: the mask has another size.
    """
    if truth is None:
        return _NAN
    check_sizes(relevance.shape, truth.size, name)
    return hit(relevance, truth.mask()) if truth.area else _NAN


def point_results(truth: Masks, points: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """Hits of readers' points, (films, findings): 1 if any of them lies in the mask.

    A finding that is there and for which no point is given counts as missed.

    Args:
        truth: film → finding → mask.
        points: film → finding → (P, 2) x and y in pixels of the film.
    """
    values = {}
    for film, findings in truth.items():
        given = points.get(film, {})
        values[film] = {
            finding: points_hit(given.get(finding, np.zeros((0, 2))), runs.mask()) if runs.area else _NAN
            for finding, runs in findings.items()
        }
    return results_table(values)


def results_table(values: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Values by film and finding as a table: films sorted, findings in alphabetical order."""
    films = sorted(values)
    columns = {
        finding: [values[film].get(finding, _NAN) for film in films] for finding in sorted(CHEXLOCALIZE)
    }
    return pd.DataFrame(columns, index=pd.Index(films, name="img_id"), dtype=float)


def film_replicates(results: pd.DataFrame, *, count: int = _COUNT, seed: int = 0) -> pd.DataFrame:
    """Means of resampled films, (count, findings), in CheXlocalize's order of findings.

    Films are drawn with NumPy's legacy generator, so that the resamples are those of CheXlocalize's code.

    Args:
        results: (films, findings).
        count: number of resamples.
        seed: of the resamples; 0 in CheXlocalize.

    Raises:
        InputError: there is no film.
    """
    if results.empty:
        raise InputError("The bootstrap needs at least one film; got none.")
    values = results[list(CHEXLOCALIZE)].to_numpy(np.float64)
    filled, defined = np.nan_to_num(values), np.isfinite(values)
    random = np.random.RandomState(seed)
    means = np.full((count, values.shape[1]), np.nan)
    for row in means:
        drawn = random.choice(len(values), size=len(values), replace=True)
        films = defined[drawn].sum(0)
        np.divide(filled[drawn].sum(0), films, out=row, where=films > 0)
    return pd.DataFrame(means, columns=list(CHEXLOCALIZE))


def film_summary(replicates: pd.DataFrame) -> pd.DataFrame:
    """CheXlocalize's table of a bootstrap: ``name``, ``lower``, ``mean``, ``upper``, to three digits.

    The bounds are the 25th and the 975th of 1000 sorted means; ``mean`` is that of the resamples.
    """
    rows = []
    for finding in sorted(replicates.columns):
        means = np.sort(replicates[finding].to_numpy())  # NaN last
        low, high = int(0.05 / 2 * len(means)) - 1, int((1 - 0.05 / 2) * len(means)) - 1
        mean = np.nanmean(means) if np.isfinite(means).any() else np.nan
        rows.append((finding, np.round(means[low], 3), np.round(mean, 3), np.round(means[high], 3)))
    return pd.DataFrame(rows, columns=["name", "lower", "mean", "upper"])


def intervals_by_patient(results: pd.DataFrame) -> Interval:
    """The means over films with intervals by patient, (findings,), in the order of the table's columns."""
    patients = np.array([patient_of(str(film)) for film in results.index])
    return bootstrap(statistics.mean(results.to_numpy(np.float64)), patients)


def check_sizes(predicted: tuple[int, ...], truth: tuple[int, ...], name: str) -> None:
    """Check that a map or segmentation and the truth are of one film.

    Args:
        predicted: (H, W).
        truth: (H, W).
        name: of film and finding, for the message.

    Raises:
        InputError: the sizes differ.
    """
    if tuple(predicted) != tuple(truth):
        raise InputError(
            f"{name}: the map or segmentation has {predicted[0]} × {predicted[1]} pixels (height × width), "
            f"the truth {truth[0]} × {truth[1]}; both must be of one film."
        )


def _iou(truth: Runs | None, predicted: Runs | None, true_positives_only: bool, name: str) -> float:
    if truth is not None and predicted is not None:
        check_sizes(predicted.size, truth.size, name)
    areas = [0 if runs is None else runs.area for runs in (truth, predicted)]
    if truth is None or predicted is None or not all(areas):
        # Without decoding: nothing is common, and the union is one of the two.
        return _NAN if true_positives_only or not any(areas) else 0.0
    return iou(predicted.mask(), truth.mask(), true_positives_only=true_positives_only)
