"""The Learn page: the list, a lesson of the address, and what it says of files that cannot be used."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.teaching.lessons.template import TEMPLATE

SCRIPT = Path(main.__file__).parents[2] / "pages" / "learn.py"


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(main.__file__), default_timeout=120).switch_page(str(SCRIPT))


def test_the_list_and_a_lesson_draw(page: AppTest) -> None:
    assert not page.run().exception
    assert page.title[0].value == "Learn"
    page.query_params["lesson"] = "take-it-away"
    assert not page.run().exception
    assert not page.error


def test_an_unknown_lesson_falls_back_to_the_list(page: AppTest) -> None:
    page.query_params["lesson"] = "none-such"
    page.run()
    assert "There is no lesson 'none-such'" in page.warning[0].value


def test_own_lessons_that_are_broken_or_not_computed_are_named(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.toml").write_text("title = 3", encoding="utf-8")
    (tmp_path / "mine.toml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setenv("CXRBENCH_LESSONS", str(tmp_path))
    page.run()
    assert "broken.toml, line 1" in page.error[0].value
    page.query_params["lesson"] = "mine"
    page.run()
    assert "cxrbench lesson check" in page.error[0].value
