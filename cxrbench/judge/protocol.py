"""``Criterion``: a row of ``CRITERIA``; families of criteria, and what they need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cxrbench.judge.judged_map import JudgedMap

__all__ = ["CRITERION_FAMILIES", "NEEDS", "Criterion", "CriterionFamily", "Need"]

CriterionFamily = Literal["interventional", "localisation", "shortcut", "faithfulness", "sanity"]
Need = Literal["twins", "masks", "boxes", "model"]

# Family → its title, and what its criteria ask, in one sentence.
CRITERION_FAMILIES: Final[Mapping[CriterionFamily, tuple[str, str]]] = {
    "interventional": (
        "Interventional",
        "Does the map show what changes the logit when it is taken away from the patient?",
    ),
    "localisation": ("Localisation", "Does the relevance lie where the finding is?"),
    "shortcut": ("Shortcuts", "Does the map show a marker that the model relies on?"),
    "faithfulness": (
        "Faithfulness without truth",
        "Does the model's output follow the map when pixels are hidden? No truth is needed.",
    ),
    "sanity": ("Sanity", "Does the map depend on the model and on the finding at all?"),
}

# What a criterion needs beside the map → in words.
NEEDS: Final[Mapping[Need, str]] = {
    "twins": "twins: the same patient with the same noise, one part taken away",
    "masks": "masks",
    "boxes": "boxes, or masks",
    "model": "the model, for further forward passes",
}


@dataclass(frozen=True)
class Criterion:
    """A row of ``CRITERIA``, read by the runner, tables, contract tests and the documentation.

    Args:
        name: key, used in tables and on the command line.
        title: as written in tables.
        family: a key of ``CRITERION_FAMILIES``.
        compute: the value of one map; NaN where it is undefined.
        fields: of ``JudgedMap``; the criterion is undefined if one of them is None.
        needs: keys of ``NEEDS``.
        reference: arXiv or DOI; "" for one defined here.
        caveat: what it cannot say.
        low: smallest possible value.
        high: largest possible value.
        higher_is_better: False where a smaller value is better; None where neither is.
        reachable: the best value that a map of the same grid could have got; None where it is not known.
        uses: further fields of ``JudgedMap`` that save work where they are known.
        cost: what it computes beside the map, in words.
    """

    name: str
    title: str
    family: CriterionFamily
    compute: Callable[[JudgedMap], float]
    fields: tuple[str, ...]
    needs: tuple[Need, ...]
    reference: str
    caveat: str
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool | None = True
    reachable: Callable[[JudgedMap], float] | None = None
    uses: tuple[str, ...] = ()
    cost: str = "no pass"

    def value(self, judged: JudgedMap) -> float:
        """The value of a map; NaN if something that it needs is unknown, or the map is not finite."""
        if not judged.defined or any(getattr(judged, field) is None for field in self.fields):
            return float("nan")
        return float(self.compute(judged))

    def best(self, judged: JudgedMap) -> float:
        """The best value that a map of the same grid could have got; NaN where that is not known."""
        if self.reachable is None or any(getattr(judged, field) is None for field in self.fields):
            return float("nan")
        return float(self.reachable(judged))

    def rank_value(self, values: np.ndarray) -> np.ndarray:
        """Values with the sign changed where smaller is better, so that larger is always better."""
        return -values if self.higher_is_better is False else values
