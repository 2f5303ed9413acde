"""The quiz: its films, its figures and its regions, against values worked out by hand."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from cxrbench.errors import InputError
from cxrbench.logistic import clipped_logits
from cxrbench.teaching.quiz import (
    COLUMNS,
    FIGURES,
    GRID,
    PATTERNS,
    Answer,
    Mark,
    Overlap,
    Quiz,
    QuizItem,
    QuizSettings,
    Reading,
    ScoredFilms,
    distance_to,
    lesion_cells,
    map_cells,
    overlap,
    pattern_of,
    plan_quiz,
    quiz_figures,
    read_answers,
)
from cxrbench.teaching.quiz.regions import mark_cells

THRESHOLD = 0.2


def films(errors: int = 30, count: int = 200) -> ScoredFilms:
    """Films of which every second has the finding; the model errs on the first ``errors`` of each kind."""
    numbers = np.arange(count)
    present = numbers % 2 == 0
    wrong = numbers // 2 < errors
    scores = np.where(present ^ wrong, 0.7, 0.05)
    names = [f"film{number}" for number in numbers]
    return ScoredFilms(names, present, scores, THRESHOLD, lambda name: (int(name[4:]) % 20) / 20 + 0.025)


def plan(wrong_rate: float = 0.3, *, errors: int = 30, **changes: Any) -> Quiz:
    return plan_quiz(
        replace(QuizSettings("Edema", films=20, wrong_rate=wrong_rate), **changes), films(errors)
    )


def test_the_same_settings_give_the_same_films_and_another_seed_gives_others() -> None:
    assert plan() == plan()
    assert {item.film for item in plan().items} != {item.film for item in plan(seed=2).items}


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("errors", [0, 2, 30, 100])
def test_the_ai_is_wrong_on_exactly_as_many_films_as_asked_and_half_of_them_have_the_finding(
    rate: float, errors: int
) -> None:
    quiz = plan(rate, errors=errors)
    assert sum(not item.ai_right for item in quiz.items) == round(20 * rate)
    assert sum(item.present for item in quiz.items) == 10
    assert len({item.film for item in quiz.items + quiz.retest}) == 40
    assert not any(item.inverted for item in quiz.retest)


def test_real_errors_come_before_inverted_answers() -> None:
    assert not any(item.inverted for item in plan(0.3).items)
    few = plan(0.3, errors=1).items  # one missed and one invented finding
    assert sum(not item.ai_right and not item.inverted for item in few) == 2
    assert sum(item.inverted for item in few) == 4
    never_right = plan(0.3, errors=100).items
    assert sum(item.ai_right and item.inverted for item in never_right) == 14


def test_an_inverted_score_is_the_mirror_image_at_the_threshold() -> None:
    quiz = plan(1.0, errors=0)
    assert all(item.inverted for item in quiz.items)
    for item in quiz.items:
        original = 0.7 if item.present else 0.05
        own, threshold, shown = clipped_logits(np.array([original, THRESHOLD, item.score]))
        assert shown == pytest.approx(2 * threshold - own)


def test_films_with_the_finding_have_a_severity_in_the_range_of_the_difficulty() -> None:
    quiz = plan(difficulty="easy")
    assert all(0.6 <= item.severity <= 1 for item in quiz.items if item.present)
    assert all(math.isnan(item.severity) for item in quiz.items if not item.present)


@pytest.mark.parametrize("errors", [30, 0])
def test_the_retest_is_composed_as_the_quiz_where_there_are_enough_films(errors: int) -> None:
    quiz = plan(0.3, errors=errors)
    wrong = [sum(not item.ai_right for item in items) for items in (quiz.items, quiz.retest)]
    assert wrong == ([6, 6] if errors else [6, 0])
    assert sum(item.present for item in quiz.retest) == 10


def test_too_few_films_and_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="needs 10 films with Edema of difficulty 'easy', but there are"):
        plan_quiz(QuizSettings("Edema", "easy", films=20), films(count=20))
    for wrong in ({"films": 0}, {"films": 41}, {"seed": -1}, {"wrong_rate": math.nan}, {"difficulty": "odd"}):
        with pytest.raises(InputError):
            QuizSettings("Edema", **wrong)


Reader = Callable[[int, QuizItem], tuple[bool, bool]]
COINS = np.random.default_rng(5).random((20, 2)) < 0.5


def answers(items: Sequence[QuizItem], reader: Reader) -> list[Answer]:
    """The answers of a scripted reader: (first, last) for each item; 70 % sure alone, 90 % with the AI."""
    found = []
    for number, item in enumerate(items):
        first, last = reader(number, item)
        alone, with_ai = Reading(first, 0.7, 4.0 + number), Reading(last, 0.9, 2.0)
        found.append(Answer(item.film, item.present, alone, item.ai_present, with_ai))
    return found


def test_a_reader_who_always_says_absent_and_then_follows_the_ai_has_the_known_figures() -> None:
    """20 films, 10 with the finding; the AI is wrong on 6, of which 3 have the finding.

    First answers: right on the 10 films without the finding. AI right on 14 (7 with, 7 without). Last answers
    are the AI's: right on 14. Of the 10 wrong first answers 7 became right, of the 10 right ones 3 wrong.
    """
    figures = quiz_figures(answers(plan(0.3).items, lambda _, item: (False, item.ai_present)))
    expected = {
        "accuracy_alone": (10 / 20, 20),
        "accuracy_with_ai": (14 / 20, 20),
        "accuracy_ai": (14 / 20, 20),
        "alone_where_ai_right": (7 / 14, 14),
        "with_right_ai": (1.0, 14),
        "alone_where_ai_wrong": (3 / 6, 6),
        "with_wrong_ai": (0.0, 6),
        "switched_to_right": (7 / 10, 10),
        "switched_to_wrong": (3 / 10, 10),
        "over_reliance": (1.0, 3),
        "under_reliance": (0.0, 7),
        "overconfidence_alone": (0.7 - 0.5, 20),
        "overconfidence_with_ai": (0.9 - 0.7, 20),
        "brier_alone": ((0.3**2 + 0.7**2) / 2, 20),
        "brier_with_ai": (0.7 * 0.1**2 + 0.3 * 0.9**2, 20),
        "seconds_alone": (13.5, 20),
        "seconds_with_ai": (2.0, 20),
    }
    assert {key: figures[key].films for key in expected} == {
        key: count for key, (_, count) in expected.items()
    }
    for key, (value, _) in expected.items():
        assert figures[key].value == pytest.approx(value), key


def test_a_reader_who_never_follows_the_ai_switches_nowhere_and_relies_too_little() -> None:
    figures = quiz_figures(answers(plan(0.3).items, lambda _, item: (True, True)))
    assert figures["accuracy_alone"] == figures["accuracy_with_ai"]
    assert figures["accuracy_with_ai"].value == 0.5
    assert [figures[key].value for key in ("switched_to_right", "switched_to_wrong")] == [0.0, 0.0]
    # "Present" is right on 3 of the 6 films on which the AI is wrong, and wrong on 7 of the other 14.
    assert (figures["over_reliance"].value, figures["over_reliance"].films) == (0.0, 3)
    assert (figures["under_reliance"].value, figures["under_reliance"].films) == (1.0, 7)


def test_the_figures_of_a_reader_who_guesses_are_those_that_are_counted_one_by_one() -> None:
    items = plan(0.3).items
    figures = quiz_figures(answers(items, lambda number, _: (bool(COINS[number, 0]), bool(COINS[number, 1]))))
    first = [coin == item.present for coin, item in zip(COINS[:, 0], items, strict=True)]
    last = [coin == item.present for coin, item in zip(COINS[:, 1], items, strict=True)]
    counts = {"right": [0, 0], "wrong": [0, 0], "over": [0, 0], "under": [0, 0]}
    for before, after, item in zip(first, last, items, strict=True):
        kind = "wrong" if before else "right"  # what it can be changed to
        counts[kind][0] += before != after
        counts[kind][1] += 1
        if before != item.ai_right:
            kind = "over" if before else "under"
            counts[kind][0] += not after
            counts[kind][1] += 1
    assert figures["accuracy_alone"].value == pytest.approx(sum(first) / 20)
    assert figures["accuracy_with_ai"].value == pytest.approx(sum(last) / 20)
    for key, name in (
        ("switched_to_right", "right"),
        ("switched_to_wrong", "wrong"),
        ("over_reliance", "over"),
        ("under_reliance", "under"),
    ):
        assert figures[key].value == pytest.approx(counts[name][0] / counts[name][1])
        assert figures[key].films == counts[name][1]


def test_a_figure_for_which_no_film_counts_is_nan() -> None:
    assert all(math.isnan(value.value) and value.films == 0 for value in quiz_figures([]).values())
    always_right = quiz_figures(answers(plan(0.3).items, lambda _, item: (item.present, item.present)))
    assert math.isnan(always_right["switched_to_right"].value)
    assert math.isnan(always_right["under_reliance"].value)
    assert always_right["over_reliance"].value == 0.0
    assert math.isnan(
        quiz_figures(answers(plan(0.0).items, lambda _, i: (True, True)))["with_wrong_ai"].value
    )


def test_the_retest_counts_for_its_own_figures_only() -> None:
    quiz = answers(plan(0.3).items, lambda _, item: (True, True))
    retest = [Answer(item.film, item.present, Reading(item.present, 0.8, 3)) for item in plan(0.3).retest]
    with_retest, without = quiz_figures(quiz, retest), quiz_figures(quiz)
    assert with_retest["accuracy_retest"].value == 1.0
    assert with_retest["gain"].value == 0.5
    same = [key for key in FIGURES if key not in ("accuracy_retest", "gain")]
    assert str({key: with_retest[key] for key in same}) == str({key: without[key] for key in same})


def test_figures_of_the_mark_are_medians_over_the_films_that_have_one() -> None:
    given = answers(plan(0.3).items[:4], lambda _, item: (True, True))
    distances, ious = (0.0, 0.1, 0.3, math.nan), (0.2, math.nan, 0.4, 0.9)
    marked = [
        replace(each, distance=far, overlap=Overlap(iou, 0.5, 0.5))
        for each, far, iou in zip(given, distances, ious, strict=True)
    ]
    figures = quiz_figures(marked)
    assert figures["mark_distance"].value == pytest.approx(0.1)
    assert figures["mark_distance"].films == 3
    assert figures["mark_inside"].value == pytest.approx(1 / 3)
    assert figures["mark_inside"].films == 3
    assert figures["mark_iou"].value == pytest.approx(0.4)
    assert figures["mark_iou"].films == 3


def test_the_distance_is_that_of_a_distance_transform() -> None:
    mask = np.zeros((320, 320), bool)
    mask[100:140, 200:260] = True
    cells = lesion_cells(mask)
    assert cells.sum() == 20 * 30
    expected = ndimage.distance_transform_edt(~cells) / GRID
    for row, column in ((60, 110), (0, 0), (159, 159), (80, 20)):
        mark = Mark((column + 0.5) / GRID, (row + 0.5) / GRID, 0.1)
        assert distance_to(cells, mark) == pytest.approx(expected[row, column])
    assert distance_to(cells, Mark(0.7, 0.35, 0.01)) == 0.0
    assert math.isnan(distance_to(np.zeros_like(cells), Mark(0.5, 0.5, 0.1)))


@pytest.mark.parametrize("side", [64, 160, 200, 320, 513])
def test_a_lesion_of_one_pixel_is_kept_at_its_place_whatever_the_size_of_the_film(side: int) -> None:
    for row, column in ((0, 0), (side - 1, side - 1), (side // 3, side // 2)):
        mask = np.zeros((side, side), bool)
        mask[row, column] = True
        cells = lesion_cells(mask)
        rows, columns = np.nonzero(cells)
        assert rows.size
        assert abs((rows.mean() + 0.5) / GRID - (row + 0.5) / side) <= 1 / min(GRID, side)
        assert abs((columns.mean() + 0.5) / GRID - (column + 0.5) / side) <= 1 / min(GRID, side)


def test_the_region_of_a_map_is_what_reaches_half_of_its_maximum() -> None:
    relevance = np.zeros((320, 320), np.float32)
    relevance[:160, :160], relevance[160:, 160:], relevance[160:, :160] = 1.0, 0.4, -3.0
    relevance[:160, 160:] = np.nan  # outside the network's input
    cells = map_cells(relevance)
    assert cells is not None
    expected = np.zeros((GRID, GRID), bool)
    expected[: GRID // 2, : GRID // 2] = True
    assert (cells == expected).all()
    assert map_cells(np.full((320, 320), -1.0)) is None


def test_overlap_and_pattern_are_those_of_shared_interest() -> None:
    mark = Mark(0.5, 0.5, 0.1)
    disc = mark_cells(mark)
    assert disc.mean() == pytest.approx(math.pi * 0.1**2, rel=0.02)
    left = disc.copy()
    left[:, GRID // 2 :] = False
    assert overlap(disc, mark) == Overlap(1.0, 1.0, 1.0)
    half = overlap(left, mark)
    assert half.iou == pytest.approx(0.5)
    assert half.of_mark == pytest.approx(0.5)
    assert half.of_map == 1.0
    everywhere = overlap(np.ones((GRID, GRID), bool), mark)
    assert everywhere.of_mark == 1.0
    assert everywhere.of_map == pytest.approx(disc.mean())
    assert pattern_of(everywhere, ai_right=True) == PATTERNS["mark in map", True]
    assert pattern_of(overlap(disc, mark), ai_right=False) == PATTERNS["same", False]
    assert pattern_of(Overlap(0.3, 0.3, 0.9), ai_right=True) == PATTERNS["map in mark", True]
    assert pattern_of(overlap(~disc, mark), ai_right=False) == PATTERNS["elsewhere", False]
    assert pattern_of(overlap(None, mark), ai_right=True) is None


def test_answers_are_read_from_the_table_that_the_page_exports() -> None:
    quiz = "quiz,f1,1,0,1,1,0.7,4.5,0,0.9,2,0.25,0.5,0.1,0.02,0.3,0.4,0.5"
    retest = "retest,f2,0,,,0,0.6,3,,,,,,,,,,"
    first, second = read_answers("\r\n".join([",".join(COLUMNS), quiz, retest]))
    assert first == [
        Answer(
            "f1",
            True,
            Reading(True, 0.7, 4.5),
            False,
            Reading(False, 0.9, 2.0),
            Mark(0.25, 0.5, 0.1),
            0.02,
            Overlap(0.3, 0.4, 0.5),
            True,
        )
    ]
    assert second[0].with_ai is None
    assert second[0].ai_right is None
    assert math.isnan(second[0].distance)
    with pytest.raises(InputError, match="lack the columns film"):
        read_answers("round\nquiz")
    with pytest.raises(InputError, match="Line 2"):
        read_answers(",".join(COLUMNS) + "\n" + quiz.replace("quiz,f1,1", "quiz,f1,yes"))
