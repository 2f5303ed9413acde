"""The lessons that are there: the shipped ones, and those in the folder that CXRBENCH_LESSONS names."""

from pathlib import Path

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.teaching.lessons.lesson import Lesson
from cxrbench.teaching.lessons.reading import read_lesson

__all__ = ["lesson_files", "read_lessons"]


def lesson_files() -> list[Path]:
    """The files of all lessons; of two with the same name the user's own."""
    files: dict[str, Path] = {}
    for folder in (assets.lessons(), assets.own_lessons()):
        if folder is not None and folder.is_dir():
            files |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return list(files.values())


def read_lessons() -> tuple[list[Lesson], list[str]]:
    """All lessons in their order, and one message per file that cannot be used."""
    lessons, problems = [], []
    for file in lesson_files():
        try:
            lessons.append(read_lesson(file))
        except InputError as error:
            problems.append(str(error))
    return sorted(lessons, key=lambda lesson: (lesson.order, lesson.title)), problems
