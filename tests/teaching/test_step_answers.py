"""The right answers as text: what teachers read in the documentation is what is stored for the lessons."""

from collections import Counter
from pathlib import Path

from cxrbench.teaching.lessons import Computed, read_lesson
from cxrbench.teaching.lessons.step_answers import step_answers
from train.lesson_answers import PAGE, answers_page, shipped

LESSON = """title = "A title"
purpose = "A purpose."

[[steps]]
title = "A film"
text = "It only explains."

[[steps]]
title = "A number: {a}"
text = "Guess."
reveal = "It is {a}."
state = { case = "edema", models = ["efficientnet_b0"], finding = "Edema", methods = ["grad_cam"] }
values = { a = { quantity = "share_inside" }, b = { quantity = "score" } }
question = { ask = "How much?", answer = "a", tolerance = 3 }

[[steps]]
title = "A choice"
text = "Choose."
reveal = "Now {b}."
state = { case = "edema", models = ["efficientnet_b0"], finding = "Edema", methods = ["grad_cam"] }
values = { a = { quantity = "score" }, b = { quantity = "score" } }

[steps.question]
ask = "Which?"
right = "largest"
options = [ { text = "A", value = "a" }, { text = "B|C", value = "b" } ]
"""


def test_answers_say_what_decides_them(tmp_path: Path) -> None:
    file = tmp_path / "made.toml"
    file.write_text(LESSON, encoding="utf-8")
    lesson = read_lesson(file)
    values: tuple[dict[str, float], ...] = ({}, {"a": 41.6, "b": 0.5}, {"a": 0.25, "b": 0.5})
    computed = Computed("", {}, values, ((), (), ()), {})
    first, number, choice = step_answers(lesson, computed)
    assert (first.ask, first.right, first.sources) == ("", "", {})
    assert (number.title, number.right) == ("A number: 42\N{NO-BREAK SPACE}%", "42\N{NO-BREAK SPACE}% ± 3")
    assert number.values == {"a": "42\N{NO-BREAK SPACE}%", "b": "0.50"}
    assert number.sources == {
        "share of the positive relevance inside the finding": ("42\N{NO-BREAK SPACE}%",)
    }
    assert choice.right == "B|C"
    assert choice.sources == {"score of the finding": ("0.25 (A)", "0.50 (B|C)")}
    rows = [line for line in answers_page([(lesson, computed)]).splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| 2. A number: 42\N{NO-BREAK SPACE}%",
        "| 3. A choice",
    ]
    assert "**B\\|C**" in rows[-1]


def test_the_page_of_answers_is_written_from_what_is_stored() -> None:
    lessons = shipped()
    assert PAGE.read_text(encoding="utf-8") == answers_page(lessons), "run: python -m train.lesson_answers"
    asked = sum(step.question is not None for lesson, _ in lessons for step in lesson.steps)
    assert Counter(line[:2] for line in answers_page(lessons).splitlines())["| "] == asked + 2 * len(lessons)
