"""``cxrbench lesson``: check lessons, compute their answers, and write a template for a new one."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from cxrbench.cli.say import note
from cxrbench.errors import InputError
from cxrbench.teaching.lessons import (
    Computed,
    Lesson,
    lesson_files,
    read_lesson,
    write_computed,
)
from cxrbench.teaching.lessons.step_answers import step_answers
from cxrbench.teaching.lessons.template import TEMPLATE
from cxrbench.writing import write_text

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Check lessons or write a template; 1 if a lesson has an error."""
    return _new(options.file) if options.action == "new" else _check(options)


def _new(file: Path) -> int:
    if file.suffix != ".toml":
        raise InputError(f"A lesson's file must end with .toml, got {file.name!r}; name it my-lesson.toml.")
    if file.exists():
        raise InputError(f"{file} exists already; choose another name.")
    write_text(file, TEMPLATE)
    note(f"Wrote {file}. Change it, then run: cxrbench lesson check {file} --write")
    return 0


def _check(options: argparse.Namespace) -> int:
    files = [*options.files, *(lesson_files() if options.all else [])]
    if not files:
        raise InputError("There is no lesson to check; name a FILE, or all of them by --all.")
    from cxrbench.teaching.lessons.bench import Bench
    from cxrbench.teaching.lessons.computing import compute

    bench, problems = Bench(), []
    for file in files:
        try:
            lesson = read_lesson(file)
            computed = compute(lesson, bench)
        except InputError as error:
            problems.append(str(error))
            continue
        if options.write:
            write_computed(lesson, computed)
        print("\n".join(_lines(lesson, computed)))
    for problem in problems:
        note(problem)
    return int(bool(problems))


def _lines(lesson: Lesson, computed: Computed) -> Iterator[str]:
    """The computed answers of a lesson, one line per value."""
    yield f"{lesson.id}: {lesson.title}"
    for number, step in enumerate(step_answers(lesson, computed), 1):
        yield f"  {number}. {step.title}"
        for name, value in step.values.items():
            yield f"     {name} = {value}"
        if step.ask:
            yield f"     {step.ask} → {step.right}"
