"""“What if?”: the same patient without one finding."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app.compare.what_if import change_table, without
from cxrbench.app.services import phantoms
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.compare import Prediction

PATIENT = PhantomSettings(seed=7, findings=(("Edema", 0.6), ("Pleural Effusion", 0.7)))


def prediction(name: str, *scores: float) -> Prediction:
    values = np.array(scores, np.float32)
    labels = ("Edema", "Lung Opacity", "Pleural Effusion", "Fracture")
    return Prediction(name, "1", labels, values, values, np.full(4, 0.5), 0.1)


def test_the_film_without_a_finding_is_a_radiograph_of_its_own() -> None:
    radiograph = phantoms.radiograph(PATIENT)
    assert radiograph.twins is not None
    film = without(radiograph, "Edema", radiograph.twins.pair("Edema"))
    assert film.title == "Phantom 7, PA, without Edema"
    assert film.truth["Edema"] == film.truth["Lung Opacity"] == 0
    assert film.truth["Pleural Effusion"] == 1
    assert "Edema" not in film.masks
    assert film.sha256 != radiograph.sha256
    assert film.precomputed is None
    assert film.description.endswith("rendered without Edema. Present: Pleural Effusion.")
    # and the next finding can be taken away from it
    assert film.twins is not None
    assert list(film.twins) == ["Pleural Effusion"]
    healthy = without(film, "Pleural Effusion", film.twins.pair("Pleural Effusion"))
    assert healthy.truth["No Finding"] == 1
    assert not healthy.twins


def test_the_scores_of_both_films_stand_in_one_table() -> None:
    before = {"a": prediction("a", 0.9, 0.8, 0.7, 0.1), "b": prediction("b", 0.6, 0.5, 0.4, 0.2)}
    after = {"a": prediction("a", 0.1, 0.79, 0.6, 0.12), "b": prediction("b", 0.5, 0.5, 0.4, 0.2)}
    table = change_table(before, after, ("Edema", "Lung Opacity"), {"a": "Model A"})
    assert list(table.columns) == ["Model A", "b"]
    assert list(table.index) == ["Edema", "Lung Opacity", "Pleural Effusion"]  # Fracture hardly changes
    assert list(table.to_dict("index")["Edema"].values()) == ["0.90 → 0.10  (-0.80)", "0.60 → 0.50  (-0.10)"]
    assert table.loc["Lung Opacity", "Model A"] == "0.80 → 0.79  (-0.01)"  # it is absent: listed in any case
    assert table.loc["Pleural Effusion", "b"] == "–"


def _page() -> None:  # run as a script of its own
    import streamlit as st

    from cxrbench.app.compare import what_if

    what_if.draw(st.session_state["film"], {}, {})


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_function(_page, default_timeout=30)
    at.session_state["film"] = phantoms.radiograph(PATIENT)
    return at


def test_a_finding_is_taken_away_and_put_back(page: AppTest) -> None:
    page.run()
    assert not page.exception
    (pills,) = page.button_group
    assert list(pills.options) == ["Lung Opacity", "Edema", "Pleural Effusion"]
    assert not page.button
    pills.select("Edema").run()
    assert not page.exception
    captions = [caption.value for caption in page.caption]
    assert "Absent with it, since nothing else implies it: Lung Opacity." in captions
    assert any("No installed model" in caption for caption in captions)
    assert page.button[0].label == "Explain the film without Edema"
    page.button[0].click().run()
    assert not page.exception
    (film,) = page.session_state["own_films"].values()
    assert film.title == "Phantom 7, PA, without Edema"


def test_a_film_that_cannot_be_rendered_again_has_no_such_choice(page: AppTest) -> None:
    page.session_state["film"] = replace(phantoms.radiograph(PATIENT), twins=None)
    page.run()
    assert not page.exception
    assert not page.button_group
