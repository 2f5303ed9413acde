"""Every page says in a sentence what it is for, and where it has nothing to show, what to do."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.navigation import PAGES

MAIN = Path(main.__file__)
SCRIPTS = MAIN.parents[2] / "pages"

# Page → what it asks for where there are no models, films, results, runs and data sets.
REMEDIES = {
    "start": "open a radiograph of your own on Compare",
    "compare": "Add one with 'cxrbench models add NAME'",
    "learn": "Write one with `cxrbench lesson new my-lesson.toml`",
    "performance": "upload a file of your own",
    "judge": "`cxrbench judge --films 24 --out judged`",
    "quiz": "start a recipe on the Train page",
    "data": "name the folder of one above",
    "models": "Add one below",
    "preparation": "open your own image on the left",
    "train": "Nothing has been trained here yet. The recipe `smoke` is the shortest",
    "about": "Add one with 'cxrbench models add NAME'",
}
ALWAYS_FULL = {"imbalance", "phantom", "glossary"}  # public tables, phantoms from their seeds, words


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_texts: None, no_models_loaded: None) -> None:
    """A machine on which nothing was shipped, added or trained."""
    for variable in ("ASSETS", "MODELS", "RUNS", "DATA", "LESSONS"):
        monkeypatch.setenv(f"CXRBENCH_{variable}", str(tmp_path / variable.lower()))


@pytest.mark.parametrize("name", REMEDIES)
def test_a_page_that_is_empty_says_what_to_do(name: str, empty: None) -> None:
    at = AppTest.from_file(str(SCRIPTS / f"{name}.py"), default_timeout=120).run()
    assert not at.exception
    assert not at.error
    assert REMEDIES[name] in " ".join(info.value for info in at.info)


def test_every_page_is_always_full_or_has_its_empty_state() -> None:
    assert set(PAGES) == set(REMEDIES) | ALWAYS_FULL


@pytest.mark.parametrize("name", [name for name in PAGES if name != "start"])
def test_a_page_has_its_title_and_its_sentence_of_purpose(name: str, empty: None) -> None:
    at = AppTest.from_file(str(MAIN), default_timeout=120)
    at.switch_page(str(SCRIPTS / f"{name}.py")).run()
    assert [title.value for title in at.title] == [PAGES[name].title]
    assert PAGES[name].purpose.endswith(".")
    assert f'<p class="purpose">{PAGES[name].purpose}</p>' in [each.proto.body for each in at.get("html")]
