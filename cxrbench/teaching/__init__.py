"""Teaching: lessons and quizzes as plain data, whose right answers are computed, never typed."""

__all__: list[str] = []
