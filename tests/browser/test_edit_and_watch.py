"""A phantom's film is edited in a real browser: pictures of their own, one view for both canvases, Back."""

from collections.abc import Callable
from typing import Any

import pytest

from cxrbench.compare import gallery

Visits = Callable[..., Any]


def test_a_marker_is_taken_away_watched_and_put_back_with_the_back_button(visit: Visits) -> None:
    if not any(case.id == "shortcut-hospital" for case in gallery.cases()):
        pytest.skip("no gallery ships with this checkout")
    v = visit("/compare?case=shortcut-hospital&methods=grad_cam")
    assert not v.page.locator(".bench.follows").count()
    v.page.get_by_role("button", name="Hospital's lead token").click()
    edited = v.page.locator(".bench.follows")
    edited.locator(".facts li", has_text="Logit").wait_for(
        timeout=180_000
    )  # the scores of the edited film, after the models
    v.page.wait_for_function("document.querySelector('.st-key-editedstop')?.checkVisibility() !== true")
    assert "edit=without%3Ahospital" in v.page.url
    assert not edited.locator(".tools").is_visible()
    before, after, change = (edited.locator("canvas.base").nth(place) for place in range(3))
    pictures = [each.evaluate("canvas => canvas.toDataURL()") for each in (before, after, change)]
    assert len(set(pictures)) == 3
    # One view: the controls above the first canvas move both.
    v.page.locator(".bench:not(.follows)").get_by_role("button", name="Zoom in").click()
    v.page.wait_for_timeout(500)
    assert before.evaluate("canvas => canvas.toDataURL()") != pictures[0]
    v.page.go_back()
    edited.wait_for(state="detached")
    assert "edit=" not in v.page.url


def test_the_truth_of_a_map_is_one_line_that_explains_itself(visit: Visits) -> None:
    if not gallery.cases():
        pytest.skip("no gallery ships with this checkout")
    v = visit("/compare?case=edema&methods=grad_cam")
    line = v.page.locator(".truth:not([hidden]) summary")
    assert "Δlogit" in line.inner_text()
    assert "location prior" in line.get_attribute("title")
    about = v.page.locator(".truth:not([hidden]) p")
    assert not about.is_visible()
    line.click()
    assert about.is_visible()
