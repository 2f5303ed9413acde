"""`FIGURES`: what a reader's answers say; a figure for which no film counts is undefined (NaN)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from cxrbench.teaching.quiz.answers import Answer
from cxrbench.teaching.quiz.figure_values import (
    FigureValue,
    accuracy_alone,
    accuracy_with_ai,
    brier,
    difference,
    last,
    mean,
    median,
    misplaced_reliance,
    overconfidence,
    read_with_ai,
    switched,
    where,
)

__all__ = ["FIGURES", "Figure", "quiz_figures"]


@dataclass(frozen=True)
class Figure:
    """A row of `FIGURES`.

    Args:
        title: its name.
        group: heading under which it stands.
        unit: ``share`` of films in [0, 1], ``difference`` of two shares, ``number`` without a unit, or
            ``seconds``.
        meaning: what it says, and of which films, in one or two sentences.
        compute: (answers of the quiz, answers of the retest) → its value.
    """

    title: str
    group: str
    unit: Literal["share", "difference", "number", "seconds"]
    meaning: str
    compute: Callable[[Sequence[Answer], Sequence[Answer]], FigureValue]


def quiz_figures(answers: Sequence[Answer], retest: Sequence[Answer] = ()) -> dict[str, FigureValue]:
    """All figures of `FIGURES`, by key.

    Args:
        answers: of the quiz.
        retest: of further films that were read without the AI afterwards.
    """
    return {key: figure.compute(answers, retest) for key, figure in FIGURES.items()}


_ACCURACY: Final = "Right answers"
_RELIANCE: Final = "What the AI did to your answers"
_PLACE: Final = "Your mark"
_CONFIDENCE: Final = "How sure you were"
_TIME: Final = "Time"
_RETEST: Final = "Retest without AI"

FIGURES: Final[Mapping[str, Figure]] = MappingProxyType(
    {
        "accuracy_alone": Figure(
            "You alone",
            _ACCURACY,
            "share",
            "Films on which your first answer, before score and map, is the truth.",
            lambda answers, _: accuracy_alone(answers),
        ),
        "accuracy_with_ai": Figure(
            "You with the AI",
            _ACCURACY,
            "share",
            "Films on which your last answer, after score and map, is the truth.",
            lambda answers, _: accuracy_with_ai(answers),
        ),
        "accuracy_ai": Figure(
            "The AI alone",
            _ACCURACY,
            "share",
            "Films on which the AI's answer is the truth; the set-up of the quiz decides on it.",
            lambda answers, _: mean(bool(each.ai_right) for each in read_with_ai(answers)),
        ),
        "alone_where_ai_right": Figure(
            "You alone, where the AI is right",
            _ACCURACY,
            "share",
            "Your first answers on the films on which the AI is right: to compare the next line with.",
            lambda answers, _: accuracy_alone(where(answers, ai_right=True)),
        ),
        "with_right_ai": Figure(
            "You with the AI, where it is right",
            _ACCURACY,
            "share",
            "Your last answers on the same films.",
            lambda answers, _: accuracy_with_ai(where(answers, ai_right=True)),
        ),
        "alone_where_ai_wrong": Figure(
            "You alone, where the AI is wrong",
            _ACCURACY,
            "share",
            "Your first answers on the films on which the AI is wrong.",
            lambda answers, _: accuracy_alone(where(answers, ai_right=False)),
        ),
        "with_wrong_ai": Figure(
            "You with the AI, where it is wrong",
            _ACCURACY,
            "share",
            "Your last answers on the same films. Lower than the line before: the AI misled you.",
            lambda answers, _: accuracy_with_ai(where(answers, ai_right=False)),
        ),
        "switched_to_right": Figure(
            "Changed to the right answer",
            _RELIANCE,
            "share",
            "Of the films on which your first answer was wrong: those on which you changed it.",
            lambda answers, _: switched(answers, right_before=False),
        ),
        "switched_to_wrong": Figure(
            "Changed to the wrong answer",
            _RELIANCE,
            "share",
            "Of the films on which your first answer was right: those on which you changed it.",
            lambda answers, _: switched(answers, right_before=True),
        ),
        "over_reliance": Figure(
            "Over-reliance",
            _RELIANCE,
            "share",
            "Of the films on which you were right and the AI wrong: those on which you followed it.",
            lambda answers, _: misplaced_reliance(answers, ai_right=False),
        ),
        "under_reliance": Figure(
            "Under-reliance",
            _RELIANCE,
            "share",
            "Of the films on which you were wrong and the AI right: those on which you did not follow it.",
            lambda answers, _: misplaced_reliance(answers, ai_right=True),
        ),
        "mark_inside": Figure(
            "Marks in the lesion",
            _PLACE,
            "share",
            "Of the films with the finding that you called present: those with the mark's centre in it.",
            lambda answers, _: mean(each.distance == 0 for each in answers if not np.isnan(each.distance)),
        ),
        "mark_distance": Figure(
            "Distance of the mark from the lesion",
            _PLACE,
            "number",
            "Median over the same films, in fractions of the film's height; 0 inside the lesion.",
            lambda answers, _: median(each.distance for each in answers),
        ),
        "mark_iou": Figure(
            "Overlap of mark and map (IoU)",
            _PLACE,
            "number",
            "Median of intersection ÷ union of your mark and the map's region, from half of its maximum, "
            "over all films that you called present. It says where the map is, not whether it is right.",
            lambda answers, _: median(each.overlap.iou for each in answers),
        ),
        "overconfidence_alone": Figure(
            "Overconfidence alone",
            _CONFIDENCE,
            "difference",
            "How sure you were on average, minus the share of right answers; above 0: surer than right.",
            lambda answers, _: overconfidence(answers, lambda each: each.alone),
        ),
        "overconfidence_with_ai": Figure(
            "Overconfidence with the AI",
            _CONFIDENCE,
            "difference",
            "The same of your last answers.",
            lambda answers, _: overconfidence(read_with_ai(answers), last),
        ),
        "brier_alone": Figure(
            "Brier score alone",
            _CONFIDENCE,
            "number",
            "Mean squared difference between how sure you were and whether you were right: 0 is perfect, "
            "0.25 is what a coin and 50 % give.",
            lambda answers, _: brier(answers, lambda each: each.alone),
        ),
        "brier_with_ai": Figure(
            "Brier score with the AI",
            _CONFIDENCE,
            "number",
            "The same of your last answers.",
            lambda answers, _: brier(read_with_ai(answers), last),
        ),
        "seconds_alone": Figure(
            "Time alone",
            _TIME,
            "seconds",
            "Median per film, until your first answer.",
            lambda answers, _: median(each.alone.seconds for each in answers),
        ),
        "seconds_with_ai": Figure(
            "Time with the AI",
            _TIME,
            "seconds",
            "Median per film, from when score and map are shown until your last answer.",
            lambda answers, _: median(last(each).seconds for each in read_with_ai(answers)),
        ),
        "accuracy_retest": Figure(
            "You alone, afterwards",
            _RETEST,
            "share",
            "New films, without AI: films on which your answer is the truth.",
            lambda _, retest: accuracy_alone(retest),
        ),
        "gain": Figure(
            "Gain",
            _RETEST,
            "difference",
            "The line before, minus your first answers in the quiz: what you learned, and chance. With 10 "
            "films each, chance alone gives differences of up to 40 points.",
            lambda answers, retest: difference(accuracy_alone(retest), accuracy_alone(answers)),
        ),
    }
)
