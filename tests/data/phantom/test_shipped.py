"""The films of the shipped models' data set, by their paths."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from cxrbench.data.phantom import plan, render
from cxrbench.data.phantom.plan import patient_studies
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS, SIZE, film_name, held_out_studies, shipped_film
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT


def test_one_patient_is_planned_as_in_the_whole_data_set() -> None:
    whole = plan(12, seed=5, fractions=(0.5, 0.2, 0.3))
    parts = [
        study for n in range(1, 13) for study in patient_studies(n, 12, seed=5, fractions=(0.5, 0.2, 0.3))
    ]
    assert list(map(repr, parts)) == list(map(repr, whole))


def test_the_data_set_is_that_of_the_recipes(root: Path) -> None:
    for name in ("densenet121", "efficientnet_b0", "inception_v3", "vit_tiny"):
        recipe = root / "train" / "configs" / f"phantom_{name}.toml"
        stated = tomllib.loads(recipe.read_text(encoding="utf8"))["data"]
        assert stated["phantom_patients"] == PATIENTS
        assert tuple(stated["phantom_fractions"]) == FRACTIONS
        assert stated["phantom_size"] == SIZE


def test_the_films_of_a_study_are_found_by_their_paths_and_rendered_from_the_seed() -> None:
    path = "test/patient04108/study1/view1_frontal.png"
    study, film = shipped_film(path)
    assert (study.path, film.path, study.split) == (path, path, "test")
    again = study.render(film, 64)
    expected = render(study.seed, study.findings, view=study.view, size=64, exposure=study.number)
    assert np.array_equal(again.image, expected.image)
    assert {name for name in study.findings if name in CHEXPERT} <= set(again.severity)


def test_a_name_states_the_shortcuts_that_are_planted() -> None:
    name = "test/patient04108/study1/view1_frontal.png#letter"
    study, film = shipped_film(name)
    assert film_name(study, film) == name
    assert list(study.render(film, 64).shortcuts) == ["letter"]
    with pytest.raises(InputError, match="has no film"):
        shipped_film(name.replace("letter", "elephant"))


@pytest.mark.parametrize(
    "path",
    [
        "test/patient00001/study1/view1_frontal.png",  # a training patient
        "test/patient99999/study1/view1_frontal.png",
        "test/patient04108/study2/view1_frontal.png",
        "../patient04108/study1/view1_frontal.png",
        "",
    ],
)
def test_a_path_that_is_not_of_the_data_set_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="has no film"):
        shipped_film(path)


def test_held_out_studies_are_those_of_the_data_set_and_then_of_further_patients() -> None:
    first = next(held_out_studies())
    assert first.patient == min(
        study.patient for study in plan(PATIENTS, fractions=FRACTIONS) if study.split == "test"
    )
    (further,) = patient_studies(PATIENTS + 7, PATIENTS, fractions=FRACTIONS)
    assert further.split == "test"
    assert shipped_film(further.path)[0] == further
