"""Which answer is right, decided by computed values, and how safely."""

from collections.abc import Mapping
from math import inf, isfinite, isnan

from cxrbench.errors import InputError
from cxrbench.teaching.lessons.lesson import ChoiceQuestion, NumberQuestion, Step
from cxrbench.teaching.lessons.quantities import QUANTITIES, UNITS, written
from cxrbench.teaching.lessons.reading import PLACEHOLDER

__all__ = ["check_answer", "deciding_values", "filled", "right_answer", "right_option", "unit_of"]


def unit_of(step: Step, name: str) -> str:
    """Key in `UNITS` of a value of a step."""
    return QUANTITIES[step.values[name].quantity].unit


def filled(text: str, step: Step, values: Mapping[str, float]) -> str:
    """A text with the values of its placeholders."""
    return PLACEHOLDER.sub(lambda match: written(values[match[1]], unit_of(step, match[1])), text)


def right_option(question: ChoiceQuestion, values: Mapping[str, float]) -> int:
    """Index of the right option.

    Raises:
        InputError: no option is right, or several are.
    """
    if question.right:
        numbers = [values[option.value] for option in question.options]
        best = max(numbers) if question.right == "largest" else min(numbers)
        right = [index for index, number in enumerate(numbers) if number == best]
    else:
        value = values[question.answer]
        right = [i for i, option in enumerate(question.options) if option.low <= value < option.high]
    if len(right) != 1:
        shown = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        raise InputError(
            f"{len(right)} options are right where exactly one must be, with {shown}; change the options."
        )
    return right[0]


def right_answer(step: Step, values: Mapping[str, float]) -> str:
    """The right answer in words: of an option, or a number with its unit; "" where nothing is asked."""
    question = step.question
    if question is None:
        return ""
    if isinstance(question, NumberQuestion):
        return written(values[question.answer], unit_of(step, question.answer))
    return filled(question.options[right_option(question, values)].text, step, values)


def deciding_values(question: ChoiceQuestion | NumberQuestion) -> dict[str, str]:
    """Names of the values that decide which answer is right → the option that each stands for, or ""."""
    if isinstance(question, ChoiceQuestion) and question.right:
        return {option.value: option.text for option in question.options}
    return {question.answer: ""}


def check_answer(step: Step, values: Mapping[str, float]) -> None:
    """Refuse an answer that is undefined, or that a rounding error could change.

    Raises:
        InputError: the message names the value.
    """
    question = step.question
    if question is None:
        return
    names = list(deciding_values(question))
    for name in names:
        _check_defined(name, values)
    if isinstance(question, NumberQuestion):
        return
    right_option(question, values)
    least = UNITS[unit_of(step, names[0])].least
    if _margin(question, values) < least:
        shown = ", ".join(f"{name} = {values[name]:g}" for name in names)
        raise InputError(
            f"The answer hangs on a difference below {least:g}, with {shown}, which another processor could "
            "change; choose other options or another film."
        )


def _check_defined(name: str, values: Mapping[str, float]) -> None:
    if isnan(values[name]):
        raise InputError(f"The value {name} is undefined here, so it cannot be asked for.")


def _margin(question: ChoiceQuestion, values: Mapping[str, float]) -> float:
    """How far the deciding value is from one that would make another option right."""
    if question.right:
        ordered = sorted(values[option.value] for option in question.options)
        pair = ordered[-2:] if question.right == "largest" else ordered[:2]
        return pair[1] - pair[0]
    bounds = {bound for option in question.options for bound in (option.low, option.high) if isfinite(bound)}
    return min((abs(values[question.answer] - bound) for bound in bounds), default=inf)
