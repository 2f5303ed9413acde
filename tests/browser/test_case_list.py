"""Case lists and links to them, in a real browser: one after the other, Back, reload, and a second viewer."""

from collections.abc import Callable
from typing import Any

from cxrbench.compare import gallery

Visits = Callable[..., Any]


def place(here: Any) -> str:
    """What the bar says."""
    text: str = here.page.locator(".st-key-case_list [role=status]").inner_text()
    return text


def shared_link(here: Any) -> str:
    """The link that Share shows once the canvas has said how it draws."""
    here.page.locator(".st-key-open_share button").first.click()
    here.page.get_by_test_id("stCode").last.wait_for()
    here.settle()
    text: str = here.page.get_by_test_id("stCode").last.inner_text()
    here.page.keyboard.press("Escape")
    here.settle()
    return text.strip()


def copied_link(here: Any) -> str:
    here.page.locator("[data-do=link]").click()
    here.page.get_by_text("Link copied").wait_for()
    text: str = here.page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_class_goes_through_a_list_by_button_key_and_back(visit: Visits) -> None:
    one, two = gallery.cases()[:2]
    film = "test/patient03178/study1/view1_frontal.png"
    here = visit(f"/compare?list={one.id}&list={film}&list={two.id}&methods=grad_cam")
    assert place(here) == f"Case 1 of 3 · {one.title}"
    here.page.locator(".st-key-list_next button").click()
    here.page.get_by_text("Case 2 of 3").wait_for()
    here.settle()
    # On a picture, Shift and an arrow move the cross-hair; elsewhere they go on.
    here.page.locator(".panel .frame").first.focus()
    here.page.keyboard.press("Shift+ArrowRight")
    here.page.wait_for_timeout(500)
    assert place(here).startswith("Case 2 of 3")
    here.page.locator(".st-key-list_next button").focus()
    here.page.keyboard.press("Shift+ArrowRight")
    here.page.get_by_text("Case 3 of 3").wait_for()
    here.settle()
    assert here.page.locator(".st-key-list_next button").is_disabled()
    there = visit(here.page.url.removeprefix(here.address))
    assert place(there) == place(here) == f"Case 3 of 3 · {two.title}"
    here.page.go_back()
    here.page.get_by_text("Case 2 of 3").wait_for()
    here.settle()
    here.page.reload()
    here.settle()
    assert place(here).startswith("Case 2 of 3")
    here.page.locator(".st-key-list_leave button").click()
    here.page.locator(".st-key-case_list").wait_for(state="detached")
    here.settle()
    assert "list=" not in here.page.url
    assert place(there).startswith("Case 3 of 3")


def test_share_and_copy_link_are_the_same_and_moving_a_slider_sends_nothing(visit: Visits) -> None:
    here = visit(f"/compare?case={gallery.cases()[0].id}&methods=grad_cam")
    assert shared_link(here) == copied_link(here)
    sent = here.sent
    slider = here.page.get_by_label("Opacity")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowLeft")
    here.page.locator("select[data-view=scale]").select_option("all")
    here.page.wait_for_timeout(300)
    assert here.sent == sent
    link = copied_link(here)
    assert "view=o50-" in link
    assert shared_link(here) == link
    there = visit(link.removeprefix(here.address))
    assert there.page.get_by_label("Opacity").input_value() == "0.5"


def test_chosen_cases_make_a_list_that_a_second_viewer_opens(visit: Visits) -> None:
    one, two = gallery.cases()[:2]
    here = visit(f"/compare?case={one.id}&methods=grad_cam")
    here.page.locator(".st-key-open_share button").first.click()
    choice = here.page.locator(".st-key-share_list input")
    for case in (two, one):
        choice.fill(case.title)
        here.page.get_by_role("option", name=case.title, exact=True).click()
        here.settle()
    here.page.get_by_text("Opens the first of 2 cases").wait_for()
    link = here.page.get_by_test_id("stCode").last.inner_text().strip()
    there = visit(link.removeprefix(here.address))
    assert place(there) == f"Case 1 of 2 · {two.title}"
    there.page.locator(".st-key-list_next button").click()
    there.page.get_by_text("Case 2 of 2").wait_for()
    there.settle()
    assert "methods=grad_cam&" in there.page.url
