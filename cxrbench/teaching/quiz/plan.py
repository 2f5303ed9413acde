"""The films of a quiz, and the AI's answer on each: chosen from a model's stored scores, nothing is rendered.

The AI is wrong on as many films as the settings say. Films on which the model really errs are taken first,
missed and invented findings alike. Where there are not enough of them, the answer on a further film is
inverted: its score is mirrored at the threshold, at the same distance in logits. Such an item is marked as
``inverted``, and the quiz says so when it shows the truth.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from cxrbench.errors import InputError
from cxrbench.logistic import clipped_logits
from cxrbench.teaching.quiz.settings import DIFFICULTIES, QuizSettings

__all__ = ["Quiz", "QuizItem", "ScoredFilms", "plan_quiz"]

_STREAM: Final = 0x9E12  # keeps the draws apart from others that start from the same seed


@dataclass(frozen=True)
class ScoredFilms:
    """What a quiz can be chosen from: the films of a data set with the scores of one model.

    Args:
        names: (N,) of the films, each of another patient.
        present: (N,) bool, whether the film has the finding.
        scores: (N,) of the finding, in [0, 1].
        threshold: the score from which the finding counts as predicted.
        severity: name → severity of the finding on a film that has it; NaN where another finding only implies
            it. Called for the films that are considered alone, since it may take milliseconds.
    """

    names: Sequence[str]
    present: np.ndarray
    scores: np.ndarray
    threshold: float
    severity: Callable[[str], float]


@dataclass(frozen=True)
class QuizItem:
    """One film of a quiz with the AI's answer.

    Args:
        film: name of the film.
        present: the truth.
        severity: of the finding; NaN on a film without it.
        score: that the AI states.
        threshold: from which the AI says "present".
        inverted: whether the model's score was mirrored at the threshold, so that it says the opposite.
    """

    film: str
    present: bool
    severity: float
    score: float
    threshold: float
    inverted: bool = False

    @property
    def ai_present(self) -> bool:
        """The AI's answer."""
        return self.score >= self.threshold

    @property
    def ai_right(self) -> bool:
        """Whether the AI's answer is the truth."""
        return self.ai_present == self.present


@dataclass(frozen=True)
class Quiz:
    """The films of a quiz in their order.

    Args:
        settings: that it was made from.
        items: films that are read alone, then with the AI.
        retest: further films, read without the AI afterwards; fewer than ``items`` where there are not more.
    """

    settings: QuizSettings
    items: tuple[QuizItem, ...]
    retest: tuple[QuizItem, ...]


def plan_quiz(settings: QuizSettings, films: ScoredFilms) -> Quiz:
    """Choose the films of a quiz; half of them have the finding.

    Args:
        settings: of the quiz.
        films: to choose from.

    Returns:
        The quiz. On exactly ``settings.wrong_films`` of its items the AI is wrong.

    Raises:
        InputError: there are not enough films with or without the finding.
    """
    rng = np.random.default_rng([_STREAM, settings.seed])
    order, odd_one = rng.permutation(len(films.names)), bool(rng.integers(2))
    counts = {True: settings.films_with_finding, False: settings.films - settings.films_with_finding}
    errors = {
        truth: list(islice(_candidates(films, settings, order, truth, model_right=False), 2 * count))
        for truth, count in counts.items()
    }
    wrong = _wrong_counts(settings.wrong_films, counts, {t: len(e) for t, e in errors.items()}, odd_one)
    items: list[QuizItem] = []
    retest: list[QuizItem] = []
    for truth, count in counts.items():
        others = _candidates(films, settings, order, truth, model_right=True)
        chosen = _take(errors[truth], others, count, wrong[truth])
        if len(chosen) < count:
            raise InputError(_shortage(settings, truth, len(chosen), count))
        items += [_answering(item, wrong=k < wrong[truth]) for k, item in enumerate(chosen)]
        retest += _take(errors[truth], others, count, wrong[truth])
    return Quiz(settings, _shuffled(items, rng), _shuffled(retest, rng))


def _candidates(
    films: ScoredFilms, settings: QuizSettings, order: np.ndarray, truth: bool, *, model_right: bool
) -> Iterator[QuizItem]:
    """The films of one kind in this order; of those with the finding, the ones in the range of severity."""
    difficulty = DIFFICULTIES[settings.difficulty]
    for place in order:
        name, score = films.names[place], float(films.scores[place])
        if films.present[place] != truth or ((score >= films.threshold) == truth) != model_right:
            continue
        severity = films.severity(name) if truth else np.nan
        if not truth or difficulty.low <= severity <= difficulty.high:  # NaN is in no range
            yield QuizItem(name, truth, severity, score, films.threshold)


def _wrong_counts(
    total: int, counts: Mapping[bool, int], errors: Mapping[bool, int], odd_one: bool
) -> dict[bool, int]:
    """On how many films of each truth the AI is wrong: as equal as real errors allow.

    Args:
        total: on how many altogether.
        counts: truth → number of films.
        errors: truth → number of films on which the model errs.
        odd_one: the truth that gets one more where the total is odd.
    """
    wanted = {truth: total // 2 + (total % 2 if truth == odd_one else 0) for truth in counts}
    real = {truth: min(counts[truth], errors[truth]) for truth in counts}
    taken = {truth: min(wanted[truth], real[truth]) for truth in counts}
    for limits in (real, counts):  # real errors of the other kind, then inverted answers
        for truth in sorted(counts, key=taken.__getitem__):
            taken[truth] += min(limits[truth] - taken[truth], total - sum(taken.values()))
    return taken


def _take(errors: list[QuizItem], others: Iterator[QuizItem], count: int, wrong: int) -> list[QuizItem]:
    """Take films from both kinds: as many errors as are wanted first, then others, then further errors."""
    chosen = [errors.pop(0) for _ in range(min(wrong, len(errors)))]
    chosen += islice(others, count - len(chosen))
    return chosen + [errors.pop(0) for _ in range(min(count - len(chosen), len(errors)))]


def _answering(item: QuizItem, *, wrong: bool) -> QuizItem:
    """The item with a right or a wrong answer of the AI; inverted where the model's own is the other one."""
    if item.ai_right != wrong:
        return item
    threshold, score = clipped_logits(np.array([item.threshold, item.score]))
    # A score on the threshold counts as present: its mirror image must be below.
    distance = threshold - score if threshold != score else -1e-3
    mirrored = float(1 / (1 + np.exp(-(threshold + distance))))
    return replace(item, score=mirrored, inverted=True)


def _shortage(settings: QuizSettings, truth: bool, found: int, wanted: int) -> str:
    having = "with" if truth else "without"
    severity = f" of difficulty {settings.difficulty!r}" if truth else ""
    remedy = "; choose fewer films" + (", another difficulty" if truth else "") + " or another finding"
    return (
        f"The quiz needs {wanted} films {having} {settings.finding}{severity}, but there are {found}{remedy}."
    )


def _shuffled(items: Sequence[QuizItem], rng: np.random.Generator) -> tuple[QuizItem, ...]:
    return tuple(items[place] for place in rng.permutation(len(items)))
