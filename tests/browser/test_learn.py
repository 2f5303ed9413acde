"""The lesson player in a real browser: a whole lesson by keyboard alone, and the link to a step."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np

Visits = Callable[..., Any]

_FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
}"""


def tab_to(page: Any, beginning: str) -> None:
    """Press Tab until what has the focus begins with these words."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED).startswith(beginning):
            return
    raise AssertionError(f"Tab never reaches {beginning!r}.")


def step_of(page: Any) -> str:
    address: str = page.url
    return parse_qs(urlsplit(address).query).get("step", ["1"])[0]


def answer(page: Any) -> None:
    """Answer the question of the step, if it has one, by keyboard."""
    learn = page.locator(".learn")
    if learn.locator(".options").count():
        page.keyboard.press("1")
    elif learn.locator(".number").count():
        tab_to(page, "Your guess")
        page.keyboard.type("0.5")
        page.keyboard.press("Enter")
    else:
        return
    learn.locator(".verdict").wait_for()
    assert learn.locator(".options .right, .verdict strong").count()


def shared_link(page: Any) -> str:
    """What a camera reads in the dialog with the link to this step."""
    tab_to(page, "Share: link and QR code")
    page.keyboard.press("Enter")
    picture = page.get_by_role("dialog").get_by_role("img", name="QR code of the link")
    picture.wait_for()
    page.wait_for_function("image => image.complete", arg=picture.element_handle())
    pixels = cv2.imdecode(np.frombuffer(picture.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels)
    assert page.get_by_role("dialog").get_by_text("other devices cannot reach it").is_visible()
    page.keyboard.press("Escape")
    picture.wait_for(state="detached")
    return text


def test_a_lesson_is_played_by_keyboard_alone_and_its_steps_can_be_shared(visit: Visits) -> None:
    here = visit("/learn")
    page, learn = here.page, here.page.locator(".learn")
    tab_to(page, "1. ")
    page.keyboard.press("Enter")
    learn.locator(".dots").wait_for()
    here.settle()
    steps = learn.locator(".dot").count()
    for step in range(1, steps + 1):
        assert step_of(page) == str(step)
        answer(page)
        if step == 2:
            assert shared_link(page) == page.url
        page.keyboard.press("ArrowRight")
    assert step_of(page) == str(steps)  # there is none after the last
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == str(steps - 1)
    page.keyboard.press("ArrowRight")
    tab_to(page, "All lessons")
    page.keyboard.press("Enter")
    learn.locator(".state.done").first.wait_for()
    assert "✓" in learn.locator(".lessons li").first.inner_text()
