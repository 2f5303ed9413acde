"""The shipped lessons: stored answers are those of the shipped models; cheap ones are computed again."""

import math
from pathlib import Path

import pytest

from cxrbench import assets
from cxrbench.app.learn.lesson_data import lesson_data
from cxrbench.explain import METHODS
from cxrbench.models import catalog, hub
from cxrbench.teaching import read_lessons
from cxrbench.teaching.lessons import filled, read_computed, read_lesson, unit_of
from cxrbench.teaching.lessons.answers import check_answer
from cxrbench.teaching.lessons.bench import Bench
from cxrbench.teaching.lessons.computing import compute_values
from cxrbench.teaching.lessons.quantities import QUANTITIES, UNITS
from cxrbench.teaching.lessons.situation import Situation

FILES = sorted(assets.lessons().glob("*.toml"))
# Computed in a moment: from stored predictions, maps and evaluations.
CHEAP = {
    *(
        "score",
        "logit",
        "threshold",
        "called",
        "present",
        "models_that_call",
        "mean_score",
        "range_of_scores",
    ),
    *("hits", "share_inside", "chance_inside", "cells_of_map", "finding_in_cells"),
    *("agreement_of_maps", "largest_difference_of_maps", "prevalence", "accuracy", "accuracy_of_never"),
    *("auroc", "average_precision", "sensitivity", "specificity", "positive_predictive_value"),
}


def name(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_stored_answer_is_right_for_the_shipped_models(file: Path) -> None:
    lesson = read_lesson(file)
    computed = read_computed(lesson)
    for step, values in zip(lesson.steps, computed.values, strict=True):
        check_answer(step, values)
        assert set(values) == set(step.values)
        for text in (step.title, step.text, step.reveal):
            assert "undefined" not in filled(text, step, values)
    folders = catalog.available()
    for model, revision in computed.models.items():
        assert revision == hub.load(folders[model]).revision, f"{model} changed: run python -m train.lessons"
    for step in lesson.steps:
        assert {each.partition("(")[0] for each in step.state.methods} <= set(METHODS)
        assert set(step.state.models) <= set(folders)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_cheap_values_are_computed_as_stored(file: Path) -> None:
    lesson, bench = read_lesson(file), Bench()
    for step, values in zip(lesson.steps, read_computed(lesson).values, strict=True):
        for key, value in step.values.items():
            if value.quantity in CHEAP and not value.state.edits and not value.state.film:
                again = QUANTITIES[value.quantity].compute(Situation(value, bench))
                assert abs(again - values[key]) < UNITS[unit_of(step, key)].least, key


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=name)
def test_all_values_are_computed_as_stored(file: Path) -> None:
    lesson, bench = read_lesson(file), Bench()
    for step, values in zip(lesson.steps, read_computed(lesson).values, strict=True):
        for key, value in compute_values(step, bench).items():
            same = math.isnan(value) and math.isnan(values[key])
            assert same or abs(value - values[key]) < UNITS[unit_of(step, key)].least, key


def test_lessons_have_their_place_and_are_small() -> None:
    lessons, problems = read_lessons()
    assert problems == []
    assert sorted(file.stem for file in assets.lessons().glob("*.json")) == [file.stem for file in FILES]
    assert [lesson.id for lesson in lessons][:2] == ["take-it-away", "what-a-heat-map-is"]
    assert len({lesson.title for lesson in lessons}) == len(lessons)
    assert sum(file.with_suffix(".json").stat().st_size for file in FILES) < 2 * 2**20


def test_a_step_opens_the_page_on_which_its_numbers_can_be_seen() -> None:
    lesson = read_lesson(assets.lessons() / "uncertain-labels.toml")
    steps = lesson_data(lesson, read_computed(lesson))["steps"]
    assert {step["bench"] for step in steps} == {"imbalance?table=phantom&part=Policies"}
    assert {step["page"] for step in steps} == {"Imbalance"}


def test_a_map_without_a_positive_value_says_that_nothing_is_drawn() -> None:
    lesson = read_lesson(assets.lessons() / "randomise-the-weights.toml")
    trained, randomised = lesson_data(lesson, read_computed(lesson))["steps"][1]["pictures"]
    assert trained["colours"] == "The more yellow, the more relevant."
    assert randomised["colours"] == "Nothing is drawn: no value of this map is positive."
