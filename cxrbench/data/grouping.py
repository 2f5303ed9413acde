"""The images of one study together: a frontal image and its lateral."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["POOLINGS", "Grouping", "group_views"]

# Pooling of the scores of a study's images: (k, L) → (L,), NaN ignored. CheXpert's competition uses the
# maximum (Irvin et al. 2019, arXiv:1901.07031, section 4).
POOLINGS: Final[dict[str, Callable[..., np.ndarray]]] = {"max": np.nanmax, "mean": np.nanmean}


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which rows of a table belong to one study, S studies in all, in the order of their first rows.

    Args:
        names: (S,) patient and study.
        of_row: (N,) int, index of each row's study.
        first: (S,) int, first row of each study; its labels are the study's (they come from one report).
        frontal: (S,) int, first frontal row, −1 where there is none.
        lateral: (S,) int, first lateral row, −1 where there is none.
    """

    names: tuple[str, ...]
    of_row: np.ndarray
    first: np.ndarray
    frontal: np.ndarray
    lateral: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def pairs(self) -> np.ndarray:
        """Frontal and lateral row of every study (S, 2) int, −1 where there is none."""
        return np.stack([self.frontal, self.lateral], axis=1)

    @property
    def complete(self) -> np.ndarray:
        """Whether each study has both views (S,) bool."""
        return (self.frontal >= 0) & (self.lateral >= 0)

    def rows(self, study: int) -> np.ndarray:
        """Rows of a study, ascending."""
        return np.flatnonzero(self.of_row == study)

    def pool(self, values: np.ndarray, how: str = "max") -> np.ndarray:
        """Pool values of images (N, L) into values of studies (S, L): late fusion of scores.

        NaN is ignored; a study with NaN only gives NaN.

        Raises:
            InputError: ``how`` is not in `POOLINGS`, or ``values`` has another length than the table.
        """
        if how not in POOLINGS:
            raise InputError(f"Pooling {how!r:.50} is not known; choose from: {', '.join(POOLINGS)}.")
        if len(values) != len(self.of_row):
            raise InputError(f"Pooling needs one row per image, {len(self.of_row)}; got {len(values)}.")
        order = np.argsort(self.of_row, kind="stable")
        width = max(1, int(np.bincount(self.of_row, minlength=1).max()))
        starts = np.searchsorted(self.of_row[order], np.arange(len(self)))
        position = np.arange(len(order)) - starts[self.of_row[order]]
        # A study has few images, so an array padded to the largest study is small: one call pools all.
        padded = np.full((len(self), width, values.shape[1]), np.nan)
        padded[self.of_row[order], position] = values[order]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(All-NaN|Mean of empty) slice", RuntimeWarning)
            return POOLINGS[how](padded, axis=1)


def group_views(studies: Studies) -> Grouping:
    """Group the rows of a table by patient and study.

    An image without a study (or with its patient only: "patient00001/") is a study of its own: two such
    images need not be from one examination.
    """
    patient = studies.table["patient"].to_numpy(dtype=object)
    study = studies.table["study"].to_numpy(dtype=object)
    single = np.array([not name or name.endswith("/") for name in study], bool)
    keys = np.array([f"{p} {s}" for p, s in zip(patient, study, strict=True)], dtype=object)
    keys[single] = [
        f"{key} image {row}" for key, row in zip(keys[single], np.flatnonzero(single), strict=True)
    ]
    numbers: dict[str, int] = {}
    of_row = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)
    view = studies.table["view"].to_numpy(dtype=str)
    rows = np.arange(len(of_row))
    return Grouping(
        names=tuple(numbers),
        of_row=of_row,
        first=_first(of_row, rows, len(numbers)),
        frontal=_first(of_row, rows[view == "frontal"], len(numbers)),
        lateral=_first(of_row, rows[view == "lateral"], len(numbers)),
    )


def _first(of_row: np.ndarray, rows: np.ndarray, studies: int) -> np.ndarray:
    """First of the given rows (ascending) in every study (S,), −1 where there is none."""
    first = np.full(studies, -1, np.intp)
    first[of_row[rows[::-1]]] = rows[::-1]  # assigned in reverse, so that the first one remains
    return first
