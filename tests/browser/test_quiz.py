"""The Quiz page in a real browser: a quiz read with the keyboard alone, which a reload does not lose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxrbench.teaching.quiz import read_answers

Visits = Callable[..., Any]


def test_a_quiz_is_read_with_the_keyboard_alone_and_survives_a_reload(visit: Visits, tmp_path: Path) -> None:
    here = visit("/quiz?quiz_films=2&quiz_wrong=50")
    page, press = here.page, here.page.keyboard.press
    texts = page.locator(".quiz")
    film = page.locator(".quiz .film")
    film.focus()
    press("Enter")
    texts.get_by_text("Choose present or absent first.").wait_for()
    press("p")
    press("Enter")
    texts.get_by_text("Mark where you see").wait_for()
    assert not page.locator(".quiz .map").is_visible()
    for key in (
        "ArrowDown",
        "Shift+ArrowDown",
        "ArrowLeft",
        "+",
    ):  # the first one puts the mark in the middle
        press(key)
    assert "49 % from the left and 55 % from the top" in film.get_attribute("aria-label")
    page.reload()
    texts.get_by_text("Film 1 of 2").wait_for()
    here.settle()
    assert "49 % from the left and 55 % from the top" in film.get_attribute("aria-label")
    film.focus()
    press("Enter")
    page.locator('.quiz [data-do="keep"]').wait_for(timeout=60_000)
    assert page.locator(".quiz .map").is_visible()
    press("x")
    texts.get_by_text("Truth:").wait_for()
    outlined = page.locator(".quiz .lesion.over").count()
    names = page.locator(".quiz .film .outline-label")
    assert names.all_inner_texts() == [*["Pleural Effusion"][:outlined], "Your mark"]
    frame = film.bounding_box()
    for box in (name.bounding_box() for name in names.all()):
        assert frame["x"] <= box["x"] < box["x"] + box["width"] <= frame["x"] + frame["width"]
        assert frame["y"] <= box["y"] < box["y"] + box["height"] <= frame["y"] + frame["height"]
    press("Enter")  # the button for the next film has the focus
    texts.get_by_text("Film 2 of 2").wait_for()
    press("a")
    press("Enter")
    page.locator('.quiz [data-do="keep"]').wait_for(timeout=60_000)
    press("k")
    press("Enter")
    texts.get_by_text("Your results").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save answers").press("Enter")
    download.value.save_as(tmp_path / "answers.csv")
    answers, retest = read_answers((tmp_path / "answers.csv").read_text(encoding="utf8"))
    assert [each.alone.present for each in answers] == [True, False]
    assert [each.with_ai.present for each in answers if each.with_ai] == [False, False]
    assert answers[0].mark is not None
    assert (answers[0].mark.x, answers[0].mark.y) == (0.49, 0.55)
    assert [each.ai_right for each in answers].count(False) == 1
    assert retest == []
    page.get_by_role("button", name="Retest without AI").press("Enter")
    texts.get_by_text("Retest without AI, film 1 of 2").wait_for()
    press("a")
    press("Enter")
    texts.get_by_text("Retest without AI, film 2 of 2").wait_for()
