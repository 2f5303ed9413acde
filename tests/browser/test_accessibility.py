"""axe in the states that a page reaches while it is used; pages as they open are in test_frame.py."""

from collections.abc import Callable
from typing import Any

import pytest

Visits = Callable[..., Any]

EDITED = (
    "/compare?case=pleural-effusion&findings=Pleural+Effusion&methods=grad_cam&edit=without:pleural_effusion"
)


def assert_no_violations(here: Any) -> None:
    """In the light and in the dark theme."""
    assert here.violations() == "{}"
    here.darken()
    assert here.violations() == "{}"
    here.darken(dark=False)


@pytest.mark.parametrize("presenter", ["", "&presenter=1"], ids=["page", "presenter"])
@pytest.mark.parametrize(
    "step", ["lesson=accuracy-lies&step=4", "lesson=the-marker&step=2"], ids=["slider", "outline"]
)
def test_a_step_of_a_lesson_is_accessible_before_and_after_its_answer(
    visit: Visits, step: str, presenter: str
) -> None:
    here = visit(f"/learn?{step}{presenter}")
    assert_no_violations(here)
    here.page.get_by_role("button", name="Show me the answer").click()
    here.page.locator(".learn .reveal").wait_for()
    assert_no_violations(here)


@pytest.mark.parametrize("presenter", ["", "&presenter=1"], ids=["page", "presenter"])
def test_each_step_of_a_quiz_is_accessible_and_so_are_its_results(visit: Visits, presenter: str) -> None:
    here = visit(f"/quiz?quiz_films=2{presenter}")
    page, press = here.page, here.page.keyboard.press
    page.locator(".quiz .film").focus()
    press("ArrowDown")  # puts the mark in the middle
    assert_no_violations(here)
    press("Enter")
    page.locator('.quiz [data-do="keep"]').wait_for(timeout=60_000)
    assert_no_violations(here)
    press("k")
    page.locator(".quiz").get_by_text("Truth:").wait_for()
    assert_no_violations(here)
    press("Enter")
    page.locator(".quiz").get_by_text("Film 2 of 2").wait_for()
    press("a")
    press("Enter")
    page.locator('.quiz [data-do="keep"]').wait_for(timeout=60_000)
    press("k")
    press("Enter")
    page.locator(".quiz").get_by_text("Your results").wait_for()
    assert_no_violations(here)


def test_compare_is_accessible_in_presenter_view(visit: Visits) -> None:
    assert_no_violations(visit("/compare?presenter=1"))


@pytest.mark.parametrize("presenter", ["", "&presenter=1"], ids=["page", "presenter"])
def test_compare_is_accessible_with_an_edited_film(visit: Visits, presenter: str) -> None:
    here = visit(f"{EDITED}{presenter}")
    here.page.locator(".bench.follows .facts li", has_text="Logit").wait_for(timeout=180_000)
    here.settle()
    assert_no_violations(here)
