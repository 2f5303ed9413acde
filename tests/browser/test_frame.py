"""What surrounds every page: its name in the tab and as a heading, keyboard, screen readers, a phone."""

from collections.abc import Callable
from typing import Any

import pytest

Visits = Callable[..., Any]

PAGES = {
    "/": "cxrbench",
    "/compare": "Compare",
    "/learn": "Learn",
    "/performance": "Performance",
    "/judge": "Judge",
    "/quiz?quiz_films=2": "Quiz",
    "/imbalance": "Imbalance",
    "/data": "Data",
    "/models": "Models",
    "/phantom?finding=Edema": "Phantom",
    "/preparation": "Preparation",
    "/train": "Train",
    "/glossary": "Glossary",
    "/about": "About",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_its_title_and_no_accessibility_violations(visit: Visits, path: str) -> None:
    here = visit(path)
    page = here.page
    assert page.title() == ("cxrbench" if path == "/" else f"{PAGES[path]} · cxrbench")
    assert page.locator("h1").all_inner_texts() == [PAGES[path]]
    assert here.violations() == "{}"
    here.darken()
    assert here.violations() == "{}"
    here.darken(dark=False)
    sizes = "all => all.map(one => one.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
    helps = page.locator("[data-testid=stTooltipIcon] button").locator("visible=true")
    assert all(size >= 24 for size in helps.evaluate_all(sizes))
    if path == "/preparation":
        page.get_by_role("tab", name="Augmentation").click()
        page.get_by_text("All augmentations, with random parameters").wait_for()
        here.settle()
        assert here.violations() == "{}"
    if path == "/about":
        link = page.get_by_test_id("stTopNavLink").nth(1)
        page.keyboard.press("Tab")
        link.focus()
        assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
        assert float(link.evaluate("link => parseFloat(getComputedStyle(link).outlineWidth)")) >= 2


@pytest.mark.parametrize("path", ["/", "/compare", "/performance", "/imbalance", "/about"])
def test_a_phone_shows_the_page_title_and_needs_no_horizontal_scrolling(visit: Visits, path: str) -> None:
    page = visit(path, width=390, height=844).page
    heading = page.locator("h1")
    assert heading.is_visible()
    assert heading.bounding_box()["y"] < 150
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    inside = "element => element.scrollWidth <= element.clientWidth + 1"
    assert page.get_by_test_id("stMain").evaluate(inside)
    if path == "/compare":
        assert page.locator(".frame").nth(1).bounding_box()["y"] < 600  # the first map
        assert not page.get_by_label("Opacity").is_visible()
        page.get_by_role("button", name="Display settings").click()
        assert page.get_by_label("Opacity").is_visible()


def test_on_a_phone_the_fixed_words_cover_nothing_at_the_end_of_the_page(visit: Visits) -> None:
    page = visit("/compare", width=390, height=844).page
    end, words = page.evaluate(
        """() => {
          const main = document.querySelector("[data-testid=stMain]");
          main.scrollTo(0, main.scrollHeight);
          const last = [...document.querySelectorAll("[data-testid=stButtonGroup]")].at(-1);
          const fixed = document.querySelector(".st-key-disclaimer");
          return [last.getBoundingClientRect().bottom, fixed.getBoundingClientRect().top];
        }"""
    )
    assert end <= words
