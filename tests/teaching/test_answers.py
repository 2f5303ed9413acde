"""Right answers are decided by computed values; an answer that hangs on rounding is refused."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cxrbench.errors import InputError
from cxrbench.teaching.lessons import (
    Computed,
    Step,
    Value,
    filled,
    read_computed,
    read_lesson,
    right_option,
    write_computed,
)
from cxrbench.teaching.lessons.answers import check_answer
from cxrbench.teaching.lessons.lesson import ChoiceQuestion, NumberQuestion, Option, State
from cxrbench.teaching.lessons.quantities import QUANTITIES, UNITS, written
from cxrbench.teaching.lessons.stored import Panel, digest
from cxrbench.teaching.lessons.template import TEMPLATE

RANGES = ChoiceQuestion("?", (Option("low", high=0.3), Option("high", low=0.3)), answer="a")
GAP = replace(RANGES, options=(Option("low", high=0.1), Option("high", low=0.2)))
LARGEST = ChoiceQuestion("?", (Option("a", value="a"), Option("b", value="b")), right="largest")


def step(question: Any) -> Step:
    values = {name: Value("score", State()) for name in ("a", "b")}
    return Step("t", "x", State(), values, question=question, reveal="{a} and {b}")


def test_the_range_that_holds_the_value_is_right() -> None:
    assert right_option(RANGES, {"a": 0.1}) == 0
    assert right_option(RANGES, {"a": 0.3}) == 1


def test_the_largest_or_smallest_value_is_right() -> None:
    assert right_option(LARGEST, {"a": 0.1, "b": 0.4}) == 1
    assert right_option(replace(LARGEST, right="smallest"), {"a": 0.1, "b": 0.4}) == 0


@pytest.mark.parametrize(
    ("question", "values", "message"),
    [
        (RANGES, {"a": 0.301, "b": 0.0}, "hangs on a difference"),
        (RANGES, {"a": math.nan, "b": 0.0}, "undefined"),
        (LARGEST, {"a": 0.5, "b": 0.501}, "hangs on a difference"),
        (LARGEST, {"a": 0.5, "b": 0.5}, "2 options are right"),
        (GAP, {"a": 0.15, "b": 0.0}, "0 options"),
        (NumberQuestion("?", "a", 0.1), {"a": math.nan, "b": 0.0}, "undefined"),
    ],
)
def test_an_answer_that_is_not_decided_is_refused(
    question: Any, values: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_answer(step(question), values)


def test_values_are_written_as_people_read_them() -> None:
    assert filled("{a} and {b}", step(None), {"a": 0.934, "b": 0.0331}) == "0.93 and 0.033"
    assert written(-14.81, "change of logit") == "−14.8"
    assert written(-0.00001, "change of score") == "0.000"
    assert written(0.17, "percent") == "0.2\N{NO-BREAK SPACE}%"
    assert written(38.4, "percent") == "38\N{NO-BREAK SPACE}%"
    assert written(1.0, "yes or no") == "yes"
    assert written(math.nan, "score") == "undefined"


def test_every_quantity_has_a_unit_and_says_what_it_needs() -> None:
    for key, quantity in QUANTITIES.items():
        assert quantity.unit in UNITS, key
        assert set(quantity.needs) <= {"film", "model", "method", "finding", "edits"}, key
        assert set(quantity.optional) <= set(quantity.parameters), key


def test_computed_values_are_read_back_until_the_lesson_asks_for_others(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TEMPLATE, encoding="utf-8")
    lesson = read_lesson(file)
    with pytest.raises(InputError, match=r"lesson check .*--write"):
        read_computed(lesson)
    panel = Panel("k", "", (((1.0, 2.0), (3.0, 4.0)),), (8, 6))
    computed = Computed(
        digest(lesson), {"m": "1"}, ({"score": 0.5, "after": math.nan},), ((panel, panel),), {"k": "AA=="}
    )
    write_computed(lesson, computed)
    stored = read_computed(lesson)
    assert stored.panels == computed.panels
    assert stored.values[0]["score"] == 0.5
    assert math.isnan(stored.values[0]["after"])
    file.write_text(TEMPLATE.replace("Guess first", "Guess"), encoding="utf-8")
    read_computed(read_lesson(file))  # texts may change
    file.write_text(TEMPLATE.replace("score_without", "logit"), encoding="utf-8")
    with pytest.raises(InputError, match="was changed after"):
        read_computed(read_lesson(file))
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        read_computed(lesson)
