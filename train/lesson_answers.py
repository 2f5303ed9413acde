"""The right answers of the shipped lessons, for teachers: writes docs/lesson_answers.md from what is stored.

python -m train.lesson_answers
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cxrbench import assets
from cxrbench.teaching.lessons import Computed, Lesson, read_computed, read_lesson
from cxrbench.teaching.lessons.step_answers import step_answers
from cxrbench.writing import write_text
from train.report import markdown

__all__ = ["PAGE", "answers_page", "main", "shipped"]

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "lesson_answers.md"

_HEAD: Final = """# Answers of the lessons

Written by `python -m train.lesson_answers` from the values stored with the shipped [lessons](lessons.md).
Every right answer is computed from the film and the model that the lesson's file names; a guessed number
counts as right within ± its tolerance. `cxrbench lesson check FILE` computes all values of a lesson again."""


def main() -> None:
    """Write docs/lesson_answers.md."""
    write_text(PAGE, answers_page(shipped()))
    print(PAGE)


def shipped() -> list[tuple[Lesson, Computed]]:
    """The shipped lessons in their order, with what is stored for them."""
    lessons = sorted(map(read_lesson, assets.lessons().glob("*.toml")), key=lambda lesson: lesson.order)
    return [(lesson, read_computed(lesson)) for lesson in lessons]


def answers_page(lessons: Iterable[tuple[Lesson, Computed]]) -> str:
    """The page: a heading and a table per lesson, one row per question.

    Args:
        lessons: in order, with what was computed for them.
    """
    parts = [_HEAD]
    for number, (lesson, computed) in enumerate(lessons, 1):
        rows = [["step", "question", "right answer", "computed from"], ["---"] * 4]
        for step, answer in enumerate(step_answers(lesson, computed), 1):
            sources = "; ".join(f"{title}: {', '.join(found)}" for title, found in answer.sources.items())
            if answer.ask:
                rows.append([f"{step}. {answer.title}", answer.ask, f"**{answer.right}**", sources])
        cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
        parts += [f"## {number}. {lesson.title}", lesson.purpose, markdown(cells)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
