"""What each step of a lesson asks, the right answer, and the computed values that it comes from, as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cxrbench.teaching.lessons.answers import deciding_values, filled, right_answer, unit_of
from cxrbench.teaching.lessons.lesson import Lesson, NumberQuestion, Step
from cxrbench.teaching.lessons.quantities import QUANTITIES, written
from cxrbench.teaching.lessons.stored import Computed

__all__ = ["StepAnswer", "step_answers"]


@dataclass(frozen=True)
class StepAnswer:
    """A step with its answer.

    Args:
        title: of the step.
        ask: the question; "" for a step that only explains.
        right: the right answer, of a number with the tolerance: ``0.75 ± 0.15``.
        values: all values of the step: name → as lessons write it.
        sources: what decides the answer: title of a quantity → its values as written, with the option that
            each stands for where there are several.
    """

    title: str
    ask: str
    right: str
    values: Mapping[str, str]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def step_answers(lesson: Lesson, computed: Computed) -> list[StepAnswer]:
    """One per step of a lesson.

    Args:
        lesson: as read.
        computed: for this lesson.

    Raises:
        InputError: not exactly one option of a choice is right.
    """
    return [_answer(step, values) for step, values in zip(lesson.steps, computed.values, strict=True)]


def _answer(step: Step, values: Mapping[str, float]) -> StepAnswer:
    question = step.question
    shown = {name: written(value, unit_of(step, name)) for name, value in values.items()}
    title = filled(step.title, step, values)
    if question is None:
        return StepAnswer(title, "", "", shown)
    tolerance = f" ± {question.tolerance:g}" if isinstance(question, NumberQuestion) else ""
    sources: dict[str, tuple[str, ...]] = {}
    for name, option in deciding_values(question).items():
        quantity = QUANTITIES[step.values[name].quantity].title
        stands_for = f" ({filled(option, step, values)})" if option else ""
        sources[quantity] = (*sources.get(quantity, ()), f"{shown[name]}{stands_for}")
    ask = filled(question.ask, step, values)
    return StepAnswer(title, ask, f"{right_answer(step, values)}{tolerance}", shown, sources)
