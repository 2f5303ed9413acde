"""Which model a real film is shown with at first, and what is said of the films it learned from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app.compare.options import choice_for_case, choice_for_own, choice_from_link, default_choice
from cxrbench.app.services.radiographs import Source
from cxrbench.models import ModelSpec
from cxrbench.models.folder import write_spec
from cxrbench.preprocess import Preprocessing

pytestmark = pytest.mark.usefixtures("plain_texts")

FILM = Source("film", "", np.zeros((8, 8), np.float32), "0" * 64, real=True)
PHANTOM = Source("phantom", "", np.zeros((8, 8), np.float32), "1" * 64, truth={"Edema": 1})


def leave(folder: Path, name: str, learned_from: str) -> None:
    """A saved model, as far as the list looks."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = ModelSpec(name, "alexnet", ("Edema",), Preprocessing(), (0.5,), f"Model {name}")
    write_spec(folder / "config.json", replace(spec, learned_from=learned_from))
    (folder / "model.safetensors").touch()


@pytest.fixture
def own_models(small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models; two models ship, of which nothing is known."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "own"


def test_a_real_film_is_shown_with_a_model_that_learned_from_real_films(own_models: Path) -> None:
    start = default_choice("heart")
    assert start.models == ("small",)
    leave(own_models / "a", "a", "phantoms")
    assert choice_for_own(FILM, start).models == ("small",)
    leave(own_models / "b", "b", "NIH and PadChest")
    leave(own_models / "c", "c", "CheXpert")
    shown = choice_for_own(FILM, start)
    assert shown.models == ("b",)
    assert choice_for_own(PHANTOM, start).models == ("small",)
    # Back from the real film, the others are shown as before.
    assert choice_for_own(PHANTOM, shown).models == ("small",)
    assert choice_for_case("fluid", shown, FILM).models == ("small",)


def test_what_the_user_or_the_link_chose_stays(own_models: Path) -> None:
    leave(own_models / "b", "b", "NIH")
    chosen = replace(default_choice("heart"), models=("other",), models_chosen=True)
    assert choice_for_own(FILM, chosen).models == ("other",)
    same = replace(default_choice("heart"), models_chosen=True)
    assert choice_for_own(FILM, same).models == ("small",)
    choice, problems = choice_from_link({"models": ["small"]}, FILM)
    assert (choice.models, choice.models_chosen, problems) == (("small",), True, [])
    assert choice_from_link({}, FILM)[0].models == ("b",)
    assert not choice_from_link({"case": ["heart"], "models": ["small"]})[0].models_chosen


def said(source: Source, models: tuple[str, ...]) -> str:
    def script() -> None:
        import streamlit as st

        from cxrbench.app.compare import training_films

        training_films.draw(st.session_state["source"], st.session_state["models"])

    at = AppTest.from_function(script)
    at.session_state["source"], at.session_state["models"] = source, models
    at.run()
    assert not at.exception
    return " ".join(element.value for element in (*at.caption, *at.markdown))


def test_what_the_models_learned_from_is_said_of_real_films(
    own_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(own_models / "a", "a", "phantoms")
    assert said(PHANTOM, ("a",)) == ""
    assert "learned from phantoms: what they say of a real film means little." in said(FILM, ("a",))
    assert "[Add a model that learned from real films](models)" in said(FILM, ("a",))
    monkeypatch.setenv("CXRBENCH_CLASS", "1")
    assert "](models)" not in said(FILM, ("a",))
    leave(own_models / "b", "b", "NIH")
    assert said(FILM, ("b",)) == "Model b learned from NIH."
    assert "Model b learned from real films: choose it" in said(FILM, ("a",))
    assert "The others learned from phantoms" in said(FILM, ("b", "a"))
    assert said(FILM, ("small",)) == ""  # it does not say what it learned from
