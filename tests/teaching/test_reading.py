"""Lessons are read with every key checked; an error names the file, the line and the remedy."""

from pathlib import Path

import pytest

from cxrbench.errors import InputError
from cxrbench.teaching.lessons import read_lesson, read_lessons
from cxrbench.teaching.lessons.lesson import ChoiceQuestion, State
from cxrbench.teaching.lessons.template import TEMPLATE
from cxrbench.teaching.lessons.toml_lines import line_of, toml_lines


def write(folder: Path, text: str = TEMPLATE, name: str = "mine.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def line(text: str, part: str) -> int:
    return next(number for number, each in enumerate(text.splitlines(), 1) if part in each)


def test_the_template_is_a_lesson(tmp_path: Path) -> None:
    lesson = read_lesson(write(tmp_path))
    (step,) = lesson.steps
    assert lesson.id == "mine"
    assert step.state == State(
        "pleural-effusion", "", ("efficientnet_b0",), ("grad_cam",), "Pleural Effusion"
    )
    assert isinstance(step.question, ChoiceQuestion)
    assert [option.high for option in step.question.options] == [float("inf"), 0.8, 0.3]
    assert step.pictures[1].state.edits == ("without:pleural_effusion",)
    assert step.pictures[0].state.edits == ()
    assert step.state.compare_link[0] == ("case", "pleural-effusion")


@pytest.mark.parametrize(
    ("old", "new", "at", "remedy"),
    [
        (
            'quantity = "score_without"',
            'quantity = "score_witout"',
            "score_witout",
            "did you mean 'score_without'",
        ),
        ('finding = "Pleural Effusion"', 'finding = "Pleural Effusions"', "Effusions", "did you mean"),
        ('case = "pleural-effusion"', 'case = "effusion-of-mine"', "effusion-of-mine", "choose from"),
        ('answer = "after"', 'answer = "afterwards"', "afterwards", "did you mean 'after'"),
        ('answer = "after"', "", "options = [", "say what is right"),
        ("{after}.", "{later}.", "{later}", "[steps.values.later]"),
        ("from = 0.3, to = 0.8", "from = 0.8, to = 0.3", "options = [", "from must be below to"),
        ('purpose = "One', 'purposes = "One', None, "purpose is missing"),
        ('methods = ["grad_cam"]', 'methods = "grad_cam"', 'methods = "grad_cam"', "must be a list of texts"),
        ('models = ["efficientnet_b0"]', "", "[steps.values.score]", "needs a model"),
        ('caption = "The film."', 'captoin = "The film."', "pictures = [", "did you mean 'caption'"),
    ],
)
def test_an_error_names_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, at: str | None, remedy: str
) -> None:
    assert old in TEMPLATE
    text = TEMPLATE.replace(old, new, 1)
    file = write(tmp_path, text)
    with pytest.raises(InputError, match=r"mine\.toml") as caught:
        read_lesson(file)
    assert remedy in str(caught.value)
    if at is not None:
        expected = line(text, at) + (1 if at == "[steps.values.score]" else 0)
        assert f"line {expected}:" in str(caught.value)


def test_a_file_that_is_no_toml_or_has_no_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no valid TOML.*line 1"):
        read_lesson(write(tmp_path, 'title = "open'))
    with pytest.raises(InputError, match="rename it"):
        read_lesson(write(tmp_path, name="My Lesson.toml"))
    with pytest.raises(InputError, match="cannot be read"):
        read_lesson(tmp_path / "absent.toml")


def test_lines_of_keys_are_found_behind_texts_of_several_lines() -> None:
    text = 'a = """\nb = 1\n[c]\n"""\nb = 2\n[[c]]\n[c.d]\ne = 1\n[[c]]\ne = 2\n'
    lines = toml_lines(text)
    assert lines["b",] == 5
    assert lines["c", 0, "d", "e"] == 8
    assert lines["c", 1, "e"] == 10
    assert line_of(lines, ("c", 1, "unknown", 3)) == 9


def test_own_lessons_are_read_besides_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = {lesson.id for lesson in read_lessons()[0]}
    write(tmp_path)
    write(tmp_path, "title = 1", "broken.toml")
    monkeypatch.setenv("CXRBENCH_LESSONS", str(tmp_path))
    lessons, problems = read_lessons()
    assert {lesson.id for lesson in lessons} == shipped | {"mine"}
    assert [problem.split(",")[0] for problem in problems] == ["broken.toml"]
