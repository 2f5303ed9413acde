"""Age, sex and view as network inputs; unknown is distinct from every known value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["CLINICAL_FEATURES", "Clinical", "age_bands"]

# One column each, in this order. Sex and view are 0 in all of their columns where they are not known.
CLINICAL_FEATURES: Final = ("age", "age unknown", "male", "female", "PA", "AP", "frontal", "lateral")

_PROJECTIONS: Final = ("PA", "AP")
_SEXES: Final = ("M", "F")
_VIEWS: Final = ("frontal", "lateral")


@dataclass(frozen=True)
class Clinical:
    """Encoder of age, sex and view: fitted once on the training studies, saved with the model.

    ``age = (years − mean) / deviation``; an unknown age is imputed by the mean, which gives 0, and
    ``age unknown`` is then 1. The other columns are one-hot; where a value is unknown, all of its columns are
    0. AP films are mostly taken in bed, so the projection predicts how ill a patient is: a network can use it
    as a shortcut.

    Args:
        age_mean: in years, of the studies it was fitted on; 0 where no age was known.
        age_deviation: in years, above 0; infinite where fewer than two different ages were known, so that
            every age becomes 0.
    """

    age_mean: float
    age_deviation: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.age_mean):
            raise InputError(f"age_mean must be a finite number of years; got {self.age_mean!r:.50}.")
        if not self.age_deviation > 0:  # NaN fails too
            raise InputError(f"age_deviation must be above 0 years; got {self.age_deviation!r:.50}.")

    @classmethod
    def fit(cls, studies: Studies) -> Self:
        """Mean and standard deviation of the known ages, over images (not patients)."""
        ages = studies.table["age"].to_numpy(np.float64)
        known = ages[np.isfinite(ages)]
        if not len(known):
            return cls(0.0, float("inf"))
        return cls(float(known.mean()), float(known.std()) or float("inf"))

    def features(self, studies: Studies) -> np.ndarray:
        """Features (N, F) float32, columns as in `CLINICAL_FEATURES`, without NaN."""
        table = studies.table
        ages = table["age"].to_numpy(np.float64)
        unknown = ~np.isfinite(ages)
        standard = (np.where(unknown, self.age_mean, ages) - self.age_mean) / self.age_deviation
        one_hot = [
            table[column].to_numpy(dtype=str) == value
            for column, values in (("sex", _SEXES), ("projection", _PROJECTIONS), ("view", _VIEWS))
            for value in values
        ]
        return np.column_stack([standard, unknown, *one_hot]).astype(np.float32)

    def as_dict(self) -> dict[str, float | None]:
        """Values for a JSON file; infinity, which JSON lacks, becomes None."""
        values = asdict(self)
        return {name: value if np.isfinite(value) else None for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The encoder that `as_dict` describes.

        Raises:
            InputError: a setting is missing, unknown, or no number.
        """
        if set(values) != {"age_mean", "age_deviation"}:
            raise InputError(f"Clinical needs age_mean and age_deviation; got {sorted(values)!r:.200}.")
        try:
            deviation = values["age_deviation"]
            return cls(float(values["age_mean"]), float("inf") if deviation is None else float(deviation))
        except (TypeError, ValueError) as error:
            raise InputError(f"Clinical needs numbers of years; got {dict(values)!r:.200}.") from error


def age_bands(ages: np.ndarray, edges: Sequence[int] = (0, 20, 40, 60, 80)) -> np.ndarray:
    """Ages in years (N,) → the band of each, such as "20–39" or "80+"; "" where the age is not known.

    Args:
        ages: NaN where unknown.
        edges: where bands begin, ascending; the last has no end.
    """
    names = np.full(len(ages), "", dtype="<U8")
    for low, high in pairwise([*edges, np.inf]):
        names[(ages >= low) & (ages < high)] = f"{low}–{high - 1}" if high < np.inf else f"{low}+"
    return names
