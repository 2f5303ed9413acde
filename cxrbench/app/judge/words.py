"""What the Judge page says of criteria and of comparisons with a control."""

from collections.abc import Mapping
from math import isnan
from typing import Final

from cxrbench.judge import CRITERIA, CRITERION_FAMILIES, Criterion
from cxrbench.judge.readers import READER_CEILINGS
from cxrbench.workflows.judge_summary import verdict

__all__ = ["CONTROLS", "answer", "criterion_words", "direction", "number"]

# Control → the question whether a method is better than it.
CONTROLS: Final[Mapping[str, str]] = {
    "edges": "Better than the edge detector?",
    "location_prior": "Better than the blind prior?",
}

_DIRECTIONS: Final = {True: "Higher is better", False: "Lower is better", None: "No direction"}


def direction(record: Criterion) -> str:
    """Which values are better."""
    return _DIRECTIONS[record.higher_is_better]


def criterion_words(name: str) -> str:
    """Family, direction, limits and reader ceiling of a criterion."""
    record = CRITERIA[name]
    _, question = CRITERION_FAMILIES[record.family]
    ceiling = f" {READER_CEILINGS[name]}" if name in READER_CEILINGS else ""
    return f"{question} {direction(record)}. What it cannot say: {record.caveat}{ceiling}"


def number(mean: float, low: float, high: float, *, form: str = ".2f") -> str:
    """A mean with its interval."""
    if isnan(mean):
        return "undefined"
    texts = [f"{value:{form}}" for value in (mean, low, high)]
    texts = [text.replace("-", "" if set(text) <= set("-0.") else "−") for text in texts]
    return texts[0] if isnan(low) else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def answer(name: str, gain: float, low: float, high: float) -> str:
    """Whether a method is better than a control, in words, with the paired difference."""
    record = CRITERIA[name]
    if record.higher_is_better is None:
        return "no direction"
    found = verdict(low, high, higher_is_better=record.higher_is_better)
    if found is None:
        return "undefined"
    word = {"better": "yes", "worse": "no, worse", "open": "not shown"}[found]
    return f"{word}: {number(gain, low, high, form='+.2f')}"
