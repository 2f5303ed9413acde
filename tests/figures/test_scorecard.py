"""The scorecard of a method: one file with its numbers, controls, limits and disclaimer."""

import math
import re

import pytest

from cxrbench.compare import DISCLAIMER
from cxrbench.figures.scorecard import QUESTIONS, Score, Scorecard, question_of, scorecard
from cxrbench.judge import CRITERIA

HIT = Score(
    criterion="hit",
    mean=0.36,
    low=0.26,
    high=0.46,
    films=24,
    best=0.95,
    controls={"Location prior": 0.65, "Edges (Sobel)": 0.09},
    verdicts={"Location prior": "worse", "Edges (Sobel)": "better"},
    others={"a": 0.2, "b": 0.5, "c": math.nan},
)
UNDEFINED = Score(
    "single_deletion_mean", math.nan, math.nan, math.nan, 0, math.nan, {"Location prior": -0.1}, {}, {}
)


def card(*scores: Score, method: str = "Grad-CAM", simulated: bool = True) -> str:
    return scorecard(
        Scorecard(
            method=method,
            key="grad_cam(stage=1)",
            caveat="Coarse.",
            model="small",
            finding="Edema",
            films=24,
            patients=23,
            version="1.2.3",
            source="stored results, phantoms",
            simulated=simulated,
            scores=scores,
        )
    )


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_row_states_mean_interval_controls_verdicts_ceiling_and_the_spread_over_models() -> None:
    text = words(card(HIT))
    assert "0.36 [0.26, 0.46] 0.65 (−) 0.09 (+) 0.95 0.20 to 0.50" in text
    assert CRITERIA["hit"].caveat in text
    assert ".916" in text
    assert "Than Location prior: better by 0 of 1 criteria, worse by 1, not shown by 0." in text
    assert "means on a, b, c" in text


def test_it_says_what_it_is_of_and_is_complete_in_itself() -> None:
    html = card(HIT)
    text = words(html)
    for part in (
        "Grad-CAM",
        "grad_cam(stage=1)",
        "small",
        "Edema",
        "24 films of 23 patients",
        "1.2.3",
        "Coarse.",
    ):
        assert part in text
    assert f"{DISCLAIMER} Numbers from simulated films say nothing of real patients." in text
    assert "simulated" not in card(HIT, simulated=False)
    assert not re.search(r"\b(src|href)=|url\(|<script", html)


def test_undefined_values_are_a_dash_and_questions_without_criteria_say_so() -> None:
    text = words(card(UNDEFINED))
    assert "– [–, –] −0.10" in text
    assert text.count("Not measured in these results.") == 3


def test_names_are_escaped() -> None:
    assert "<b>&amp;" not in card(HIT)
    assert "<i>mine</i>" not in card(HIT, method="<i>mine</i>")


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_answers_one_of_the_four_questions(name: str) -> None:
    assert question_of(CRITERIA[name]) in QUESTIONS
