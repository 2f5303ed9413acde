"""Lessons and quizzes from one HTML file, without a server and a network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cxrbench.app.learn import player as learn_player
from cxrbench.app.learn.lesson_data import learn_data
from cxrbench.app.quiz import player as quiz_player
from cxrbench.app.quiz.available import QuizModel
from cxrbench.app.quiz.controls import MAP_METHODS, Setup
from cxrbench.app.quiz.film_data import film_data, with_map
from cxrbench.app.quiz.page import quiz_data
from cxrbench.app.quiz.preparation import Prepared
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets.browser_module import joined_module
from cxrbench.teaching import read_lessons
from cxrbench.teaching.lessons import read_computed, right_option
from cxrbench.teaching.lessons.lesson import ChoiceQuestion
from cxrbench.teaching.quiz import Quiz, QuizItem, QuizSettings

PAGE = """<!doctype html><meta charset="utf-8"><title>static</title><style>{css}</style>{html}
<script type="application/json" id="data">{data}</script>
<script type="module">{script}
{component}({{
  data: JSON.parse(document.getElementById("data").textContent),
  parentElement: document,
  setTriggerValue: (...sent) => (window.sent = sent),
}});
</script>"""


def static_page(path: Path, folder: Path, component: str, data: Mapping[str, Any]) -> str:
    """Write a page that holds a player and its data; return its address."""
    script = joined_module(folder / "index.js").replace("export default ", "")
    css, html = ((folder / f"player.{kind}").read_text(encoding="utf-8") for kind in ("css", "html"))
    held = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    text = PAGE.format(css=css, html=html, data=held, script=script, component=component)
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def test_a_lesson_is_played_from_a_file(offline: Any, tmp_path: Path) -> None:
    page = offline.page
    lesson = read_lessons()[0][0]
    step, values = lesson.steps[0], read_computed(lesson).values[0]
    assert isinstance(step.question, ChoiceQuestion)
    folder = Path(learn_player.__file__).parent
    page.goto(static_page(tmp_path / "lesson.html", folder, "learn", learn_data([lesson], lesson.id)))
    page.keyboard.press(str(right_option(step.question, values) + 1))
    assert page.locator(".verdict.right").inner_text() == "Right."
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("?step=2")
    page.keyboard.press("ArrowLeft")
    assert page.locator(".dot.done").all_inner_texts() == ["1"]
    kept = json.loads(page.evaluate("window.localStorage.getItem('cxrbench.lessons')"))
    assert kept[lesson.id]["0"]["outcome"] == "right"
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("window.sent") is None


def test_a_quiz_is_read_from_a_file(offline: Any, tmp_path: Path) -> None:
    page = offline.page
    page.goto(static_page(tmp_path / "quiz.html", Path(quiz_player.__file__).parent, "quiz", small_quiz()))
    for key in ("p", "ArrowDown", "Enter"):
        page.locator(".film").press(key)
    page.get_by_text("The AI says: absent.").wait_for()
    page.keyboard.press("k")
    page.get_by_text("You alone: present ✓ right").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Your results").wait_for()


def small_quiz() -> Mapping[str, Any]:
    """A quiz of one film, on which the AI is wrong."""
    mask = np.zeros((32, 32), bool)
    mask[20:26, 4:10] = True
    image = np.random.default_rng(0).random((32, 32), np.float32)
    source = Source("film", "", image, "sha of the film", masks={"Edema": mask})
    item = QuizItem("test/patient1/study1/view1_frontal.png", True, 0.7, 0.1, 0.3)
    film = film_data(item, source, "Edema", model="small", with_ai=True)
    settings = QuizSettings("Edema", films=1)
    setup = Setup(
        settings, QuizModel("small", "Small", {"Edema": 0.3}, Path("none")), next(iter(MAP_METHODS))
    )
    films = Prepared([with_map(film, None, "Edema", image.shape)])
    return quiz_data(setup, Quiz(settings, (item,), ()), films)
