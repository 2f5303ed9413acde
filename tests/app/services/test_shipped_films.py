"""Films of the shipped models' data set are named by their paths and rendered from their seeds."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.performance import cases
from cxrbench.app.performance.predictions import SystemSelection, systems
from cxrbench.app.services import shipped_films
from cxrbench.app.services.shipped_films import compare_address, radiograph, shipped_paths
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.plan import patient_studies
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS
from cxrbench.evaluation import read_predictions

COMPARE = str(Path(main.__file__).parents[2] / "pages" / "compare.py")
LABELS = ("Cardiomegaly", "Edema", "Pleural Effusion")


@pytest.fixture(autouse=True)
def _small_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_films, "SIZE", 96)
    radiograph.cache_clear()


@pytest.fixture(scope="module")
def films() -> dict[str, dict[str, int]]:
    """Path → truth of some test films."""
    found = {}
    for patient in range(3400, 3424):
        study, *_ = patient_studies(patient, PATIENTS, fractions=FRACTIONS)
        truth = certain(study.findings)
        found[study.path] = {name: truth[name] for name in LABELS}
    return found


def truth_of(films: dict[str, dict[str, int]]) -> np.ndarray:
    return np.array([list(truth.values()) for truth in films.values()], float)


def test_a_film_is_a_radiograph_with_truth_masks_twins_and_its_link(films: dict[str, dict[str, int]]) -> None:
    path, truth = max(films.items(), key=lambda item: sum(item[1].values()))
    film = radiograph(path)
    assert film.link == ("film", path)
    assert {name: film.truth[name] for name in LABELS} == truth
    assert {name for name, value in truth.items() if value} <= set(film.masks)
    assert film.twins is not None
    assert path in film.description


def test_paths_below_any_folder_are_recognised_where_the_truth_agrees(
    films: dict[str, dict[str, int]],
) -> None:
    below = [f"CheXpert-phantom/{path}" for path in films]
    assert shipped_paths(below, truth_of(films), LABELS) == list(films)


def test_films_of_another_data_set_with_the_same_paths_are_not_recognised(
    films: dict[str, dict[str, int]],
) -> None:
    assert shipped_paths(list(films), 1 - truth_of(films), LABELS) is None
    assert shipped_paths(["a.png", "b.png"], np.zeros((2, 3)), LABELS) is None
    assert shipped_paths([], np.zeros((0, 3)), LABELS) is None


def test_a_list_of_errors_links_each_film_to_compare_with_its_finding_and_models(
    films: dict[str, dict[str, int]], small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    table = pd.DataFrame({"path": list(films), "patient": list(films), **pd.DataFrame(films.values())})
    for name in LABELS:
        table[f"score {name}"] = np.linspace(0, 1, len(table))
    predictions = read_predictions(table.to_csv(index=False).encode(), "small")
    (system,) = systems({"small": predictions}, SystemSelection(("small",), (), "test", "half"))
    listed = cases.case_table(system, "Edema", "misses", 0.9)
    assert set(listed["film"]) <= set(films)

    def draw(listed):  # type: ignore[no-untyped-def]
        from cxrbench.app.performance import cases

        cases.draw_cases(listed, "Edema", ["small", "not installed"], "misses", order="first")

    at = AppTest.from_function(draw, kwargs={"listed": listed}, default_timeout=60).run()
    assert not at.exception
    links = [urlsplit(link) for link in at.dataframe[0].value["Compare"]]
    assert {link.path for link in links} == {"compare"}
    expected = {"film": [listed["film"].iloc[0]], "models": ["small"], "findings": ["Edema"]}
    assert parse_qs(links[0].query) == expected
    assert any("rendered again from its seed" in caption.value for caption in at.caption)


def test_the_link_opens_the_film_on_compare(
    films: dict[str, dict[str, int]], small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    path = next(path for path, truth in films.items() if truth["Pleural Effusion"])
    at = AppTest.from_file(main.__file__, default_timeout=120).switch_page(COMPARE)
    address = urlsplit(compare_address(path, "Pleural Effusion", ["small"]))
    for name, values in parse_qs(address.query).items():
        at.query_params[name] = values
    at.run()
    assert not at.exception
    assert not at.error
    assert at.selectbox(key="pick_finding").value == "Pleural Effusion"
    assert any(path in text.value for text in (*at.caption, *at.markdown))


def test_a_link_to_a_film_that_does_not_exist_says_so(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    at = AppTest.from_file(main.__file__, default_timeout=120).switch_page(COMPARE)
    at.query_params["film"] = "test/patient99999/study1/view1_frontal.png"
    at.run()
    assert not at.exception
    assert any("has no film" in text.value for text in (*at.error, *at.warning))
