"""The Quiz page: which films it chooses, and what it sends to the player while they are prepared."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.quiz import available, preparation
from cxrbench.app.quiz.available import QuizModel, planned_quiz
from cxrbench.app.quiz.controls import MAP_METHODS, Setup
from cxrbench.app.quiz.film_data import film_data, with_map
from cxrbench.app.quiz.preparation import Prepared
from cxrbench.app.services import model_registry, shipped_films
from cxrbench.app.services.radiographs import Source
from cxrbench.compare import HeatMaps
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.shipped import held_out_studies, shipped_film
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions
from cxrbench.evaluation.predictions import ABOUT, write_predictions
from cxrbench.preprocess import Preprocessing
from cxrbench.teaching.quiz import GRID, QuizItem, QuizSettings

LABELS = ("Edema", "Pleural Effusion")
SETTINGS = QuizSettings("Pleural Effusion", films=4, wrong_rate=0.5)


def predictions(*, swapped: bool = False) -> Predictions:
    """Predictions of the first test films by a model that errs on every third; of other films if swapped."""
    studies = [study for study, _ in zip(held_out_studies(), range(90), strict=False)]
    truth = np.array([[certain(study.findings)[label] for label in LABELS] for study in studies], np.float32)
    wrong = np.arange(len(studies))[:, None] % 3 == 0
    scores = np.where((truth == 1) ^ wrong, 0.8, 0.1).astype(np.float32)
    columns = {name: [""] * len(studies) for name in ABOUT}
    table = pd.DataFrame(columns).assign(
        path=[study.path for study in studies],
        patient=[f"p{study.patient}" for study in studies],
        split="test",
        view="frontal",
        age=np.nan,
    )
    return Predictions(table[list(ABOUT)], LABELS, truth[::-1] if swapped else truth, scores)


def stored(path: Path, *, swapped: bool = False) -> QuizModel:
    write_predictions(path, predictions(swapped=swapped))
    return QuizModel("small", "Small", dict.fromkeys(LABELS, 0.3), path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> QuizModel:
    return stored(tmp_path_factory.mktemp("quiz") / "predictions.csv")


@pytest.fixture(autouse=True)
def small_films_and_no_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Films of 64 pixels, and models that never finish loading."""
    monkeypatch.setattr(shipped_films, "SIZE", 64)
    monkeypatch.setattr(model_registry, "start", lambda: None)
    monkeypatch.setattr(model_registry, "ready", lambda: False)
    for cached in (preparation._film, shipped_films.radiograph):
        cached.cache_clear()
    yield
    for cached in (preparation._film, shipped_films.radiograph):
        cached.cache_clear()


def test_the_films_are_test_films_of_the_shipped_models_with_the_stored_scores(model: QuizModel) -> None:
    quiz = planned_quiz(SETTINGS, model)
    assert len(quiz.items) == len(quiz.retest) == 4
    for item in quiz.items:
        findings = shipped_film(item.film)[0].findings
        assert (SETTINGS.finding in findings) == item.present
        if item.present:
            assert item.severity == findings[SETTINGS.finding]
        assert item.score in (pytest.approx(0.8), pytest.approx(0.1))
    assert sum(not item.ai_right for item in quiz.items) == 2
    assert not any(item.inverted for item in quiz.items)


def test_predictions_of_other_films_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Small are not of the shipped models' phantoms"):
        planned_quiz(SETTINGS, stored(tmp_path / "predictions.csv", swapped=True))


def test_films_are_prepared_one_after_the_other_and_those_of_the_retest_last(
    model: QuizModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "_SECONDS", 0.0)  # one film per run
    setup, quiz, films = Setup(SETTINGS, model, "Grad-CAM"), planned_quiz(SETTINGS, model), Prepared()
    films.advance(setup, quiz)
    assert [film["film"] for film in films.items] == [quiz.items[0].film]
    for _ in range(8):
        films.advance(setup, quiz)
    # Without models no map comes, and no more films are rendered than the maps of which are waited for.
    assert [film["film"] for film in films.items] == [item.film for item in quiz.items[:3]]
    assert films.ready == 0
    assert not films.retest
    for place, film in enumerate(films.items):
        films.items[place] = with_map(film, None, SETTINGS.finding, (64, 64))
    for _ in range(8):
        films.advance(setup, quiz)
    assert [film["film"] for film in films.retest] == [item.film for item in quiz.retest]
    assert not films.complete(quiz)  # one map is missing


def heat(maps: np.ndarray, *, problem: str | None = None) -> HeatMaps:
    return HeatMaps("small", "cam", None, ("Edema",), maps, Preprocessing(size=64), 0.1, problem=problem)


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def cells(bits: str) -> np.ndarray:
    packed = np.frombuffer(base64.b64decode(bits), np.uint8)
    return np.unpackbits(packed)[: GRID * GRID].reshape(GRID, GRID).astype(bool)


def test_a_film_is_sent_with_its_lesion_and_the_region_of_its_map() -> None:
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    mask = np.zeros((64, 64), bool)
    mask[:16, :32] = True
    source = Source("t", "d", image, "s", masks={"Edema": mask})
    item = QuizItem("f", True, 0.5, 0.7, 0.3)
    film = film_data(item, source, "Edema", model="small", with_ai=True)
    np.testing.assert_array_equal(pixels(film["picture"]), np.rint(image * 255))
    assert film["lesion"] is not None
    rows, columns = np.nonzero(cells(film["lesion"]))
    assert (rows.max(), columns.max()) == (GRID // 4 - 1, GRID // 2 - 1)
    relevance = np.zeros((1, 64, 64), np.float32)
    relevance[0, 48:, 48:] = 2.0
    ai = with_map(film, heat(relevance), "Edema", (64, 64))["ai"]
    assert ai is not None
    assert ai["region"] is not None
    rows, columns = np.nonzero(cells(ai["region"]))
    assert (rows.min(), columns.min()) == (GRID * 3 // 4, GRID * 3 // 4)
    overlay = pixels(ai["map"])
    assert overlay.shape == (64, 64, 4)
    assert overlay[60, 60, 3] == round(0.6 * 255)
    assert overlay[:40, :40, 3].max() == 0


def test_a_film_without_a_map_says_why() -> None:
    source = Source("t", "d", np.zeros((64, 64), np.float32), "s")
    film = film_data(QuizItem("f", False, np.nan, 0.7, 0.3), source, "Edema", model="small", with_ai=True)
    assert film["lesion"] is None
    empty = np.empty((0, 0, 0), np.float32)
    for found, note in ((heat(empty, problem="no CAM here"), "no CAM here"), (None, "could not be computed")):
        ai = with_map(film, found, "Edema", (64, 64))["ai"]
        assert ai is not None
        assert ai["ready"]
        assert note in ai["note"]


def test_the_titles_of_the_maps_are_those_of_the_methods() -> None:
    from cxrbench.explain import METHODS

    for title, each in MAP_METHODS.items():
        assert METHODS[each.key].title == title
        assert METHODS[each.key].price(1) == "fast"


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(str(main.__file__), default_timeout=60)
    page.query_params.update(query)
    return page.switch_page(str(Path(main.__file__).parents[2] / "pages" / "quiz.py")).run()


def test_a_link_restores_the_set_up_and_a_finding_that_is_rare_is_said(
    model: QuizModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available, "quiz_models", lambda: {"Small": model})
    page = opened(quiz_finding="Edema", quiz_films="4", quiz_wrong="50")
    assert not page.exception
    assert not page.error
    name, films = page.session_state["quiz_prepared"]
    assert name == "quiz Edema any 4 1 0.5 small grad_cam"
    assert films.items
    page = opened(quiz_finding="Edema", quiz_films="40", quiz_difficulty="Easy")
    assert not page.exception
    assert "choose fewer films" in page.error[0].value


def test_without_a_model_the_page_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, "quiz_models", dict)
    page = opened()
    assert not page.exception
    assert "A quiz needs a model" in page.info[0].value


def test_the_models_that_ship_are_offered_with_the_findings_of_phantoms(root: Path) -> None:
    if not (root / "assets" / "models" / "efficientnet_b0").is_dir():
        pytest.skip("the models are not in this checkout")
    model = next(iter(available.quiz_models().values()))
    assert "No Finding" not in model.thresholds
    assert 0 < model.thresholds["Pleural Effusion"] < 1
