"""Lessons: data files with steps, questions and reveals, whose right answers are computed."""

from cxrbench.teaching.lessons.answers import filled, right_answer, right_option, unit_of
from cxrbench.teaching.lessons.lesson import Lesson, State, Step, Value
from cxrbench.teaching.lessons.quantities import QUANTITIES, Quantity
from cxrbench.teaching.lessons.reading import read_lesson
from cxrbench.teaching.lessons.shelf import lesson_files, read_lessons
from cxrbench.teaching.lessons.stored import Computed, read_computed, write_computed

__all__ = [
    "QUANTITIES",
    "Computed",
    "Lesson",
    "Quantity",
    "State",
    "Step",
    "Value",
    "filled",
    "lesson_files",
    "read_computed",
    "read_lesson",
    "read_lessons",
    "right_answer",
    "right_option",
    "unit_of",
    "write_computed",
]
