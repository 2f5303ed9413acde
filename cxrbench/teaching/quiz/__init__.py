"""The quiz: films read alone, then with an AI that is sometimes wrong on purpose."""

from cxrbench.teaching.quiz.answers import COLUMNS, Answer, Reading, read_answers
from cxrbench.teaching.quiz.figure_values import FigureValue
from cxrbench.teaching.quiz.figures import FIGURES, Figure, quiz_figures
from cxrbench.teaching.quiz.plan import Quiz, QuizItem, ScoredFilms, plan_quiz
from cxrbench.teaching.quiz.regions import (
    GRID,
    PATTERNS,
    Mark,
    Overlap,
    Pattern,
    distance_to,
    lesion_cells,
    map_cells,
    overlap,
    pattern_of,
)
from cxrbench.teaching.quiz.settings import DIFFICULTIES, Difficulty, QuizSettings

__all__ = [
    "COLUMNS",
    "DIFFICULTIES",
    "FIGURES",
    "GRID",
    "PATTERNS",
    "Answer",
    "Difficulty",
    "Figure",
    "FigureValue",
    "Mark",
    "Overlap",
    "Pattern",
    "Quiz",
    "QuizItem",
    "QuizSettings",
    "Reading",
    "ScoredFilms",
    "distance_to",
    "lesion_cells",
    "map_cells",
    "overlap",
    "pattern_of",
    "plan_quiz",
    "quiz_figures",
    "read_answers",
]
