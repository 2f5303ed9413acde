"""What Python sends to the quiz player: one type per JSON object, as in schema.js."""

from typing import Literal, TypedDict

__all__ = ["AnswerOfAi", "FigureData", "FilmData", "PatternData", "QuizData"]


class AnswerOfAi(TypedDict):
    """The AI's answer to one film.

    Args:
        present: the answer.
        score: of the finding.
        threshold: from which the answer is "present".
        inverted: whether it is the opposite of the model's answer.
        ready: whether the map is there, or will not come.
        map: a transparent PNG over the film, as a data URL; "" without one.
        region: of the map: bits of its cells in base 64, rows from the top; None without one.
        note: why there is no map.
    """

    present: bool
    score: float
    threshold: float
    inverted: bool
    ready: bool
    map: str
    region: str | None
    note: str


class FilmData(TypedDict):
    """One film.

    Args:
        film: its name.
        picture: a PNG as a data URL.
        present: the truth.
        severity: of the finding; None without it.
        ai: None in the retest.
        lesion: bits of its cells in base 64, rows from the top; None without one.
        outline: of the lesion: an SVG path in thousandths of the film's side; "" without one.
        link: where the film opens on Compare.
    """

    film: str
    picture: str
    present: bool
    severity: float | None
    ai: AnswerOfAi | None
    lesion: str | None
    outline: str
    link: str


class FigureData(TypedDict):
    """A row of the figures.

    Args:
        key: as in ``FIGURES``.
        title: its name.
        group: heading under which it stands.
        unit: of its value.
        meaning: what it says.
    """

    key: str
    title: str
    group: str
    unit: Literal["share", "difference", "number", "seconds"]
    meaning: str


class PatternData(TypedDict):
    """A pattern of agreement between mark and map.

    Args:
        agreement: "same", "map in mark", "mark in map" or "elsewhere".
        ai_right: whether the AI is right.
        title: its name.
        meaning: what it says.
    """

    agreement: str
    ai_right: bool
    title: str
    meaning: str


class QuizData(TypedDict):
    """All that the player shows.

    Args:
        id: of the quiz: answers are kept under it.
        finding: that is asked for.
        model: title of the AI.
        method: title of the method of its maps.
        about_method: what its maps show, as the end of a sentence.
        grid: cells per side of lesions and regions.
        films: number of films of the quiz.
        retest_films: number of films of the retest.
        items: the first films of the quiz, as far as they are prepared.
        retest: the first films of the retest, likewise.
        figures: all rows of the figures.
        patterns: all patterns.
        terms: as written in the texts, in lower case → meaning of a term of the glossary; "" for names.
        columns: of the exported table.
    """

    id: str
    finding: str
    model: str
    method: str
    about_method: str
    grid: int
    films: int
    retest_films: int
    items: list[FilmData]
    retest: list[FilmData]
    figures: list[FigureData]
    patterns: list[PatternData]
    terms: dict[str, str]
    columns: list[str]
