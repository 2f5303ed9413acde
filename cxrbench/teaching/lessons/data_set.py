"""What lessons ask of the shipped models' data set: stored evaluations, and labels beside their truth."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from cxrbench.data.phantom.plan import plan
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS
from cxrbench.errors import InputError, look_up
from cxrbench.models import catalog, hub

__all__ = ["LabelTable", "TestFilms"]

_UNCERTAIN: Final = -1


@dataclass(frozen=True)
class TestFilms:
    """The stored evaluation of a model on its test films, of one finding.

    Args:
        model: name of the model.
        finding: one of its labels.
    """

    __test__ = False  # no test, whatever pytest makes of its name

    model: str
    finding: str

    def metric(self, name: str) -> float:
        """A metric of the evaluation, in percent."""
        return 100 * self._value(name)

    def prevalence(self) -> float:
        """Share of the test films with the finding, in percent."""
        positives, negatives = self._value("positives"), self._value("negatives")
        return 100 * positives / (positives + negatives)

    def positive_predictive_value(self, prevalence: float | None) -> float:
        """Share of calls that are right at a prevalence in percent, in percent (Bayes)."""
        share = (self.prevalence() if prevalence is None else prevalence) / 100
        if not 0 <= share <= 1:
            raise InputError(f"prevalence must be 0 to 100 percent; got {100 * share:g}.")
        true = self._value("sensitivity") * share
        false = (1 - self._value("specificity")) * (1 - share)
        return 100 * true / (true + false) if true + false else float("nan")

    def _value(self, name: str) -> float:
        stored = _evaluation(self.model)
        if name not in stored or self.finding not in stored[name]:
            raise InputError(f"The evaluation of {self.model!r} states no {name} of {self.finding}.")
        value = stored[name][self.finding]
        return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class LabelTable:
    """Labels of the phantoms' training table beside the truth, of one finding.

    Args:
        finding: a label.
    """

    finding: str

    def uncertain(self) -> float:
        """Share of the images whose label is uncertain, in percent."""
        labels, _ = self._columns()
        return 100 * float((labels == _UNCERTAIN).mean())

    def uncertain_present(self) -> float:
        """Share of the uncertain labels behind which the finding is present, in percent."""
        labels, truth = self._columns()
        return 100 * float(truth[labels == _UNCERTAIN].mean())

    def wrong_by(self, policy: str) -> float:
        """Share of the uncertain labels that a policy turns into a wrong label, in percent."""
        shares = {"zeros": self.uncertain_present(), "ones": 100 - self.uncertain_present()}
        return look_up("policy", policy, shares)

    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        labels, truth = _training_table()
        return labels[self.finding], truth[self.finding]


@lru_cache(maxsize=8)
def _evaluation(model: str) -> dict[str, Any]:
    return hub.evaluation(look_up("model", model, catalog.available()))


@lru_cache(maxsize=1)
def _training_table() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels and truth of the training studies: finding → one value per study."""
    from cxrbench.data.phantom.labeller import certain

    studies = [each for each in plan(PATIENTS, fractions=FRACTIONS) if each.split == "train"]
    truths = [certain(study.findings) for study in studies]
    names = list(truths[0])
    labels = {name: np.array([study.labels.get(name, np.nan) for study in studies]) for name in names}
    return labels, {name: np.array([float(truth[name]) for truth in truths]) for name in names}
