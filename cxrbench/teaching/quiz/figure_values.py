"""The values behind `FIGURES`: shares, differences and medians over the films that count for each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from cxrbench.teaching.quiz.answers import Answer, Reading

__all__ = [
    "FigureValue",
    "accuracy_alone",
    "accuracy_with_ai",
    "brier",
    "difference",
    "last",
    "mean",
    "median",
    "misplaced_reliance",
    "overconfidence",
    "read_with_ai",
    "switched",
    "where",
]


@dataclass(frozen=True)
class FigureValue:
    """The value of a figure.

    Args:
        value: NaN where it is not defined.
        films: number of films that it is computed from.
    """

    value: float
    films: int


def mean(values: Iterable[float]) -> FigureValue:
    """Mean, and over how many films; NaN over none."""
    known = [float(value) for value in values]
    return FigureValue(float(np.mean(known)) if known else nan, len(known))


def median(values: Iterable[float]) -> FigureValue:
    """Median of the values that are not NaN, and how many there are."""
    known = [float(value) for value in values if not np.isnan(value)]
    return FigureValue(float(np.median(known)) if known else nan, len(known))


def difference(second: FigureValue, first: FigureValue) -> FigureValue:
    """The second value minus the first."""
    return FigureValue(second.value - first.value, min(second.films, first.films))


def accuracy_alone(answers: Sequence[Answer]) -> FigureValue:
    """Share of right first answers."""
    return mean(each.right_alone for each in answers)


def accuracy_with_ai(answers: Sequence[Answer]) -> FigureValue:
    """Share of right last answers, of the films that were read with the AI."""
    return mean(each.right_with_ai for each in answers if each.with_ai)


def where(answers: Sequence[Answer], *, ai_right: bool) -> list[Answer]:
    """The answers to films on which the AI is right, or wrong."""
    return [each for each in answers if each.with_ai and each.ai_right is ai_right]


def switched(answers: Sequence[Answer], *, right_before: bool) -> FigureValue:
    """Share of the films with such a first answer whose last answer is the other one."""
    before = [each for each in answers if each.with_ai and each.right_alone is right_before]
    return mean(each.right_with_ai is not right_before for each in before)


def misplaced_reliance(answers: Sequence[Answer], *, ai_right: bool) -> FigureValue:
    """Share of wrong last answers where reader and AI disagreed at first."""
    apart = [each for each in where(answers, ai_right=ai_right) if each.right_alone is not ai_right]
    return mean(not each.right_with_ai for each in apart)


def last(each: Answer) -> Reading:
    """The last answer to a film."""
    return each.with_ai or each.alone


def overconfidence(answers: Sequence[Answer], reading: Callable[[Answer], Reading]) -> FigureValue:
    """Mean confidence minus the share of right answers."""
    read = [(reading(each), each.present) for each in answers]
    return mean(answer.confidence - (answer.present == truth) for answer, truth in read)


def brier(answers: Sequence[Answer], reading: Callable[[Answer], Reading]) -> FigureValue:
    """Mean squared difference between confidence and being right (1 or 0)."""
    read = [(reading(each), each.present) for each in answers]
    return mean((answer.confidence - (answer.present == truth)) ** 2 for answer, truth in read)


def read_with_ai(answers: Sequence[Answer]) -> list[Answer]:
    """The answers to films that were read with the AI."""
    return [each for each in answers if each.with_ai]
