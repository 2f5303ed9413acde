"""The images of one study together: a frontal image and its lateral."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["POOLINGS", "Grouping", "group_views"]

# How the scores of a study's images become the study's: (k, L) → (L,), NaN left out. CheXpert's competition
# takes the largest (Irvin et al. 2019, arXiv:1901.07031, section 4).
POOLINGS: Final[dict[str, Callable[..., np.ndarray]]] = {"max": np.nanmax, "mean": np.nanmean}


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which rows of a table belong to one study, S studies in all, in the order of their first rows.

    Args:
        names: (S,) of the studies: patient and study.
        of_row: (N,) int, the study of every row.
        first: (S,) int, its first row, whose labels are the study's (they come from one report).
        frontal: (S,) int, its first frontal row, −1 where it has none.
        lateral: (S,) int, its first lateral row, −1 where it has none.
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
        """(S, 2) int: frontal and lateral row of every study, −1 where there is none."""
        return np.stack([self.frontal, self.lateral], axis=1)

    @property
    def complete(self) -> np.ndarray:
        """(S,) bool: the study has both views."""
        return (self.frontal >= 0) & (self.lateral >= 0)

    def rows(self, study: int) -> np.ndarray:
        """All rows of a study, ascending."""
        return np.flatnonzero(self.of_row == study)

    def pool(self, values: np.ndarray, how: str = "max") -> np.ndarray:
        """Values of images (N, L) → values of studies (S, L): late fusion of scores.

        NaN is left out; where a study has nothing else, the result is NaN.

        Raises:
            InputError: a rule that is not among `POOLINGS`, or a table of another length.
        """
        if how not in POOLINGS:
            raise InputError(f"Pooling {how!r:.50} is not known; choose from: {', '.join(POOLINGS)}.")
        if len(values) != len(self.of_row):
            raise InputError(f"Pooling needs one row per image, {len(self.of_row)}; got {len(values)}.")
        order = np.argsort(self.of_row, kind="stable")
        width = max(1, int(np.bincount(self.of_row, minlength=1).max()))
        starts = np.searchsorted(self.of_row[order], np.arange(len(self)))
        place = np.arange(len(order)) - starts[self.of_row[order]]
        # A study has few images, so a table as wide as the largest is small, and one call pools them all.
        laid = np.full((len(self), width, values.shape[1]), np.nan)
        laid[self.of_row[order], place] = values[order]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(All-NaN|Mean of empty) slice", RuntimeWarning)
            return POOLINGS[how](laid, axis=1)


def group_views(studies: Studies) -> Grouping:
    """Bring the images of each study together by patient and study.

    An image whose table names no study (or only its patient: "patient00001/") is a study of its own: two
    such images need not be of one day.
    """
    patient = studies.table["patient"].to_numpy(dtype=object)
    study = studies.table["study"].to_numpy(dtype=object)
    alone = np.array([not name or name.endswith("/") for name in study], bool)
    keys = np.array([f"{p} {s}" for p, s in zip(patient, study, strict=True)], dtype=object)
    keys[alone] = [f"{key} image {row}" for key, row in zip(keys[alone], np.flatnonzero(alone), strict=True)]
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
    """The first of some rows (ascending) in every study, −1 where there is none: (S,)."""
    found = np.full(studies, -1, np.intp)
    found[of_row[rows[::-1]]] = rows[::-1]  # written backwards, so the first is what stays
    return found
