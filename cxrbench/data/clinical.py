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
    """How age, sex and view become features: fitted once on the training studies, saved with the model.

    ``age = (years − mean) / deviation``, 0 where it is not known, and then ``age unknown`` is 1: the mean is
    the guess that says least, and the second column lets a network see that it is one. The other columns are
    1 where the thing is so and 0 where it is not; where the table says nothing, all columns of that thing
    are 0. Whether a frontal film is AP says how ill the patient is (bed or stand), which is why a network
    likes it, and why it should be known that it was given it.

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
        """Mean and deviation of the known ages; a patient with many images counts as often."""
        ages = studies.table["age"].to_numpy(np.float64)
        known = ages[np.isfinite(ages)]
        if not len(known):
            return cls(0.0, float("inf"))
        return cls(float(known.mean()), float(known.std()) or float("inf"))

    def features(self, studies: Studies) -> np.ndarray:
        """(N, F) float32, columns as in `CLINICAL_FEATURES`, no NaN in it."""
        table = studies.table
        ages = table["age"].to_numpy(np.float64)
        unknown = ~np.isfinite(ages)
        standard = (np.where(unknown, self.age_mean, ages) - self.age_mean) / self.age_deviation
        said = [
            table[column].to_numpy(dtype=str) == value
            for column, values in (("sex", _SEXES), ("projection", _PROJECTIONS), ("view", _VIEWS))
            for value in values
        ]
        return np.column_stack([standard, unknown, *said]).astype(np.float32)

    def as_dict(self) -> dict[str, float | None]:
        """Plain values for a JSON file, which has no infinity: None."""
        values = asdict(self)
        return {name: value if np.isfinite(value) else None for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What a JSON file holds.

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
