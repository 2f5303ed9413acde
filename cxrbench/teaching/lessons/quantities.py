"""`QUANTITIES`: what a lesson may ask for, each computed from film and model; and how it is written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # lessons are read without torch, which what computes needs
    from cxrbench.teaching.lessons.situation import Situation

__all__ = ["QUANTITIES", "UNITS", "Quantity", "Unit", "written"]


@dataclass(frozen=True)
class Unit:
    """How values of a quantity are written.

    Args:
        sign: after the number.
        digits: after the point.
        least: difference below which two values cannot be told apart, so that no answer may hang on it.
        signed: whether a plus is written.
        small: magnitude below which one more digit is written.
    """

    sign: str
    digits: int
    least: float
    signed: bool = False
    small: float = 0.0


UNITS: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "score": Unit("", 2, 0.005, small=0.1),
        "change of score": Unit("", 2, 0.005, signed=True, small=0.1),
        "change of logit": Unit("", 1, 0.05, signed=True),
        "percent": Unit("\N{NO-BREAK SPACE}%", 0, 0.5, small=1.0),
        "yes or no": Unit("", 0, 0.5),
        "number": Unit("", 1, 0.05),
        "count": Unit("", 0, 0.5),
        "correlation": Unit("", 2, 0.005),
    }
)


@dataclass(frozen=True)
class Quantity:
    """A quantity that lessons may ask for.

    Args:
        title: what it is, in words that follow "the".
        compute: situation → value; NaN where it is undefined.
        unit: key of `UNITS`; percent from 0 to 100.
        needs: what its state must name: ``film``, ``model``, ``method``, ``finding``, ``edits``.
        parameters: name → what it means; those of ``optional`` may be missing.
        optional: names of parameters that may be missing.
    """

    title: str
    compute: Callable[["Situation"], float]
    unit: str
    needs: tuple[str, ...] = ("film", "model", "finding")
    parameters: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()

    @property
    def of_labels(self) -> bool:
        """Whether it is computed from the label table alone, without film and model."""
        return self.needs == ("finding",)


_MAP: Final = ("film", "model", "method", "finding")
_PART: Final = {"part": "a finding, marker or healthy part of the film; default: the finding"}
_OTHER: Final = {"other": "key of the other method"}

QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType(
    {
        "score": Quantity("score of the finding", lambda it: it.score(), "score"),
        "logit": Quantity("logit of the finding", lambda it: it.logit(), "number"),
        "threshold": Quantity("threshold of the finding", lambda it: it.threshold(), "score"),
        "called": Quantity(
            "decision: whether the score reaches the threshold",
            lambda it: float(it.score() >= it.threshold()),
            "yes or no",
        ),
        "present": Quantity(
            "truth: whether the finding is present",
            lambda it: float(it.present()),
            "yes or no",
            ("film", "finding"),
        ),
        "score_without": Quantity(
            "score of the same film without a part",
            lambda it: it.without().score(),
            "score",
            parameters=_PART,
            optional=("part",),
        ),
        "change_of_score_without": Quantity(
            "change of the score when a part is taken away",
            lambda it: it.without().score() - it.score(),
            "change of score",
            parameters=_PART,
            optional=("part",),
        ),
        "change_of_logit_without": Quantity(
            "change of the logit when a part is taken away",
            lambda it: it.without().logit() - it.logit(),
            "change of logit",
            parameters=_PART,
            optional=("part",),
        ),
        "score_before_edits": Quantity(
            "score of the film before its edits",
            lambda it: it.unedited().score(),
            "score",
            ("film", "model", "finding", "edits"),
        ),
        "change_of_score_by_edits": Quantity(
            "change of the score by the edits of the film",
            lambda it: it.score() - it.unedited().score(),
            "change of score",
            ("film", "model", "finding", "edits"),
        ),
        "hits": Quantity(
            "pointing game: whether the strongest point of the map lies in the finding",
            lambda it: it.hit(),
            "yes or no",
            _MAP,
        ),
        "share_inside": Quantity(
            "share of the positive relevance inside the finding",
            lambda it: it.share_inside(),
            "percent",
            _MAP,
        ),
        "chance_inside": Quantity(
            "share of the film that the finding covers",
            lambda it: 100 * it.mask_share(),
            "percent",
            ("film", "finding"),
        ),
        "share_left_behind": Quantity(
            "share of the positive relevance where the finding lay before the edits",
            lambda it: it.share_left_behind(),
            "percent",
            (*_MAP, "edits"),
        ),
        "map_follows": Quantity(
            "whether the strongest point of the map moved with the finding",
            lambda it: it.map_follows(),
            "yes or no",
            (*_MAP, "edits"),
        ),
        "share_of_part_in_top_tenth": Quantity(
            "share of a part's pixels among the most relevant tenth of the film",
            lambda it: it.share_of_part_in_top_tenth(),
            "percent",
            _MAP,
            _PART,
            ("part",),
        ),
        "agreement_of_maps": Quantity(
            "rank correlation of the maps of two methods",
            lambda it: it.agreement(),
            "correlation",
            _MAP,
            _OTHER,
        ),
        "agreement_with_map_before_edits": Quantity(
            "rank correlation of the maps before and after the edits",
            lambda it: it.agreement_before_edits(),
            "correlation",
            (*_MAP, "edits"),
        ),
        "agreement_after_randomising": Quantity(
            "rank correlation of the map with that of the same network with random weights",
            lambda it: it.agreement_after_randomising(),
            "correlation",
            _MAP,
        ),
        "largest_difference_of_maps": Quantity(
            "largest difference of the maps of two methods, in percent of the largest value",
            lambda it: it.largest_difference(),
            "percent",
            _MAP,
            _OTHER,
        ),
        "finding_in_cells": Quantity(
            "area of the finding in cells of the map", lambda it: it.finding_in_cells(), "number", _MAP
        ),
        "cells_of_map": Quantity("number of cells of the map", lambda it: it.cells(), "count", _MAP),
        "reachable_inside": Quantity(
            "largest share inside the finding that any map of this grid could have",
            lambda it: it.reachable_inside(),
            "percent",
            _MAP,
        ),
        "completeness_error": Quantity(
            "completeness error of integrated gradients", lambda it: it.completeness(), "percent", _MAP
        ),
        "hit_rate": Quantity(
            "share of films with the finding on which the strongest point of the map lies in it",
            lambda it: it.hit_rate(),
            "percent",
            ("model", "method", "finding"),
            {"films": "how many films of the test patients, at most 100"},
        ),
        "models_that_call": Quantity(
            "number of the step's models whose score reaches their threshold",
            lambda it: it.votes(),
            "count",
            ("film", "finding"),
        ),
        "mean_score": Quantity(
            "mean score of the step's models", lambda it: it.mean_score(), "score", ("film", "finding")
        ),
        "range_of_scores": Quantity(
            "largest minus smallest score of the step's models",
            lambda it: it.range_of_scores(),
            "score",
            ("film", "finding"),
        ),
        "prevalence": Quantity(
            "share of the test films with the finding",
            lambda it: it.test.prevalence(),
            "percent",
            ("model", "finding"),
        ),
        "accuracy": Quantity(
            "share of right decisions on the test films",
            lambda it: it.test.metric("accuracy"),
            "percent",
            ("model", "finding"),
        ),
        "accuracy_of_never": Quantity(
            "share of right decisions of a reader who never calls the finding",
            lambda it: 100 - it.test.prevalence(),
            "percent",
            ("model", "finding"),
        ),
        "sensitivity": Quantity(
            "sensitivity on the test films",
            lambda it: it.test.metric("sensitivity"),
            "percent",
            ("model", "finding"),
        ),
        "specificity": Quantity(
            "specificity on the test films",
            lambda it: it.test.metric("specificity"),
            "percent",
            ("model", "finding"),
        ),
        "auroc": Quantity(
            "AUROC on the test films",
            lambda it: it.test.metric("auroc") / 100,
            "score",
            ("model", "finding"),
        ),
        "average_precision": Quantity(
            "average precision on the test films",
            lambda it: it.test.metric("average_precision") / 100,
            "score",
            ("model", "finding"),
        ),
        "positive_predictive_value": Quantity(
            "share of calls that are right, at a prevalence",
            lambda it: it.test.positive_predictive_value(it.number("prevalence")),
            "percent",
            ("model", "finding"),
            {"prevalence": "in percent; default: that of the test films"},
            ("prevalence",),
        ),
        "uncertain_labels": Quantity(
            "share of images whose label of the finding is uncertain, in the phantoms' training table",
            lambda it: it.labels.uncertain(),
            "percent",
            ("finding",),
        ),
        "uncertain_that_are_present": Quantity(
            "share of the uncertain labels behind which the finding is truly present",
            lambda it: it.labels.uncertain_present(),
            "percent",
            ("finding",),
        ),
        "wrong_labels_by_policy": Quantity(
            "share of uncertain labels that a policy turns into a wrong one",
            lambda it: it.labels.wrong_by(it.text("policy")),
            "percent",
            ("finding",),
            {"policy": "zeros or ones"},
        ),
    }
)


def written(value: float, unit: str) -> str:
    """A value as lessons show it: ``0.93``, ``−14.8``, ``38 %``, ``yes``; "undefined" for NaN."""
    if math.isnan(value):
        return "undefined"
    if unit == "yes or no":
        return "yes" if value else "no"
    form = UNITS[unit]
    digits = form.digits + (abs(value) < form.small)
    text = f"{value:{'+' if form.signed else ''}.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return f"{text.replace('-', '−')}{form.sign}"
