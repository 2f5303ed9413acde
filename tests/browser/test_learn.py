"""The lesson player in a real browser: every shipped lesson by keyboard alone, and the link to a step."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest

from cxrbench.data.phantom import part_title
from cxrbench.teaching import read_lessons
from cxrbench.teaching.lessons import Lesson, Step, filled, read_computed, right_answer, right_option
from cxrbench.teaching.lessons.lesson import ChoiceQuestion

Visits = Callable[..., Any]

LESSONS = read_lessons()[0]

_FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const label = element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent;
  return label ?? element?.textContent ?? "";
}"""


# Names on pictures with an outline, and whether each is seen inside its picture.
_NAMES = """async pictures => {
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return pictures.map(picture => {
    const name = picture.querySelector(".outline-label");
    const [inner, outer] = [name.getBoundingClientRect(), picture.getBoundingClientRect()];
    const seen = name.checkVisibility({ visibilityProperty: true }) && name.scrollWidth <= name.clientWidth;
    const across = inner.left >= outer.left && inner.right <= outer.right;
    const inside = across && inner.top >= outer.top && inner.bottom <= outer.bottom;
    return [name.textContent, seen && inside];
  });
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


def answer_rightly(page: Any, step: Step, values: Mapping[str, float]) -> None:
    """Answer the question of the step by the key that the computed values say is right; the page agrees."""
    learn, question, right = page.locator(".learn"), step.question, right_answer(step, values)
    if question is None:
        assert learn.locator(".question").count() == 0
        return
    assert learn.locator(".question h4").inner_text() == filled(question.ask, step, values)
    assert learn.locator(".reveal").count() == 0
    if isinstance(question, ChoiceQuestion):
        page.keyboard.press(str(right_option(question, values) + 1))
    else:
        tab_to(page, "Your guess")
        page.keyboard.type(right)
        page.keyboard.press("Enter")
    assert learn.locator(".verdict.right strong").inner_text() == "Right."
    if isinstance(question, ChoiceQuestion):
        assert right in learn.locator(".options .right").inner_text()
    else:
        assert learn.locator(".verdict").inner_text() == f"Right. It is {right}."


def move_slider(page: Any) -> None:
    """Move the slider of the step: its arrow keys do not change the step."""
    prevalence, step = page.locator(".learn .prevalence"), step_of(page)
    before = prevalence.inner_text()
    tab_to(page, "Prevalence")
    page.keyboard.press("ArrowRight")
    assert prevalence.inner_text() != before
    assert step_of(page) == step
    page.keyboard.press("Shift+Tab")


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


def open_lesson(visit: Visits, lesson: Lesson) -> Any:
    """The first step of a lesson, opened from the list by keyboard."""
    here = visit("/learn")
    tab_to(here.page, f"{LESSONS.index(lesson) + 1}. {lesson.title}")
    here.page.keyboard.press("Enter")
    here.page.locator(".learn .dots").wait_for()
    here.settle()
    return here.page


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_lesson_is_played_by_keyboard_alone_and_computed_answers_are_right(
    visit: Visits, lesson: Lesson
) -> None:
    page = open_lesson(visit, lesson)
    steps = len(lesson.steps)
    for number, (step, values) in enumerate(zip(lesson.steps, read_computed(lesson).values, strict=True), 1):
        assert step_of(page) == str(number)
        assert page.locator(".learn h3").inner_text() == filled(step.title, step, values)
        answer_rightly(page, step, values)
        names = page.locator(".learn .stack:has(polygon)").evaluate_all(_NAMES)
        outlined = [part_title(each.outline) for each in step.pictures if each.outline]
        assert names == [[title, True] for title in outlined]
        if step.slider:
            move_slider(page)
        page.keyboard.press("ArrowRight")
    assert step_of(page) == str(steps)  # there is none after the last
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == str(steps - 1)
    page.keyboard.press("ArrowRight")
    tab_to(page, "All lessons")
    page.keyboard.press("Enter")
    done = page.locator(".learn .lessons li").nth(LESSONS.index(lesson))
    done.locator(".state.done").wait_for()
    assert "✓" in done.inner_text()


def test_a_wrong_answer_is_said_to_be_wrong_and_a_step_can_be_shared(visit: Visits) -> None:
    lesson = LESSONS[0]
    step, values = lesson.steps[0], read_computed(lesson).values[0]
    assert isinstance(step.question, ChoiceQuestion)
    page = open_lesson(visit, lesson)
    page.keyboard.press(str((right_option(step.question, values) + 1) % len(step.question.options) + 1))
    assert page.locator(".learn .verdict.wrong strong").inner_text() == "Not quite."
    assert right_answer(step, values) in page.locator(".learn .options .right").inner_text()
    page.keyboard.press("ArrowRight")
    assert shared_link(page) == page.url


def test_a_picture_grows_and_shrinks_by_the_keyboard(visit: Visits) -> None:
    picture = visit(f"/learn?lesson={LESSONS[0].id}").page.locator(".learn .stack").first
    widths = []
    for _ in range(3):
        widths.append(picture.bounding_box()["width"])
        picture.press("Enter")
    assert widths[1] > 1.1 * widths[0]
    assert widths[2] == widths[0]
