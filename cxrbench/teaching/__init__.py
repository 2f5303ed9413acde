"""Teaching: lessons and quizzes as plain data, whose right answers are computed, never typed."""

from cxrbench.teaching.lessons import QUANTITIES, Lesson, read_lesson, read_lessons

__all__ = ["QUANTITIES", "Lesson", "read_lesson", "read_lessons"]
