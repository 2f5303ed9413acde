"""What a reader answered: one row per film, as values and as the CSV that the page exports."""

import csv
import io
from dataclasses import dataclass
from math import nan
from typing import Final

from cxrbench.errors import InputError
from cxrbench.teaching.quiz.regions import UNDEFINED, Mark, Overlap

__all__ = ["COLUMNS", "Answer", "Reading", "read_answers"]


@dataclass(frozen=True)
class Reading:
    """One answer to "is the finding present?".

    Args:
        present: the answer.
        confidence: the reader's probability of being right, in [0.5, 1].
        seconds: from when the film, or the AI's answer, was shown.
    """

    present: bool
    confidence: float
    seconds: float


@dataclass(frozen=True)
class Answer:
    """A reader's answers to one film, with what was measured of the mark.

    Args:
        film: name of the film.
        present: the truth.
        alone: the answer before any score or map is shown.
        ai_present: the AI's answer; None in the retest, where there is none.
        with_ai: the answer after score and map; None in the retest.
        mark: where the reader says that the finding is; None after the answer "absent".
        distance: of the mark from the lesion, in fractions of the film's side; NaN without mark or lesion.
        overlap: of the mark and the map.
        inverted: whether the AI's answer is the opposite of the model's.
    """

    film: str
    present: bool
    alone: Reading
    ai_present: bool | None = None
    with_ai: Reading | None = None
    mark: Mark | None = None
    distance: float = nan
    overlap: Overlap = UNDEFINED
    inverted: bool = False

    @property
    def right_alone(self) -> bool:
        """Whether the first answer is the truth."""
        return self.alone.present == self.present

    @property
    def right_with_ai(self) -> bool:
        """Whether the last answer is the truth."""
        return (self.with_ai or self.alone).present == self.present

    @property
    def ai_right(self) -> bool | None:
        """Whether the AI's answer is the truth; None where there is none."""
        return None if self.ai_present is None else self.ai_present == self.present


COLUMNS: Final = (
    "round",
    "film",
    "present",
    "ai_present",
    "ai_inverted",
    "alone_present",
    "alone_confidence",
    "alone_seconds",
    "with_ai_present",
    "with_ai_confidence",
    "with_ai_seconds",
    "mark_x",
    "mark_y",
    "mark_radius",
    "distance",
    "iou",
    "share_of_mark",
    "share_of_map",
)


def read_answers(text: str) -> tuple[list[Answer], list[Answer]]:
    """Read the CSV that the quiz page exports.

    Args:
        text: with the columns of `COLUMNS`, one row per film; empty cells are undefined.

    Returns:
        The answers of the quiz, and those of its retest.

    Raises:
        InputError: a column is missing, or a cell cannot be read.
    """
    table = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(
            f"The answers lack the columns {', '.join(missing)}; export them from the Quiz page."
        )
    rounds: dict[str, list[Answer]] = {"quiz": [], "retest": []}
    for line, row in enumerate(table, 2):
        try:
            rounds[row["round"]].append(_answer(row))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"Line {line} of the answers cannot be read ({error}); export them again from the Quiz page."
            ) from error
    return rounds["quiz"], rounds["retest"]


def _answer(row: dict[str, str]) -> Answer:
    mark = [_number(row[f"mark_{name}"]) for name in ("x", "y", "radius")]
    return Answer(
        film=row["film"],
        present=_yes(row["present"]),
        alone=_reading(row, "alone"),
        ai_present=_yes(row["ai_present"]) if row["ai_present"] else None,
        with_ai=_reading(row, "with_ai") if row["with_ai_present"] else None,
        mark=Mark(*mark) if row["mark_x"] else None,
        distance=_number(row["distance"]),
        overlap=Overlap(*(_number(row[name]) for name in ("iou", "share_of_mark", "share_of_map"))),
        inverted=_yes(row["ai_inverted"]) if row["ai_inverted"] else False,
    )


def _reading(row: dict[str, str], name: str) -> Reading:
    return Reading(
        _yes(row[f"{name}_present"]), float(row[f"{name}_confidence"]), float(row[f"{name}_seconds"])
    )


def _yes(text: str) -> bool:
    return {"1": True, "0": False}[text]


def _number(text: str) -> float:
    return float(text) if text else nan
