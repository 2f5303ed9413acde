from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from cxrbench.data import read_image
from cxrbench.data.phantom import render
from cxrbench.inference import FILM_CHECKS, film_notices, measure_film, without_distance
from cxrbench.inference.film_templates import CELLS, thumbnail


@pytest.fixture(scope="module")
def frontal() -> np.ndarray:
    return render(5, {}, view="PA", size=96).image


@pytest.fixture(scope="module")
def lateral() -> np.ndarray:
    return render(5, {}, view="LATERAL", size=96).image


def checks(film: np.ndarray, note: str = "", **distances: float) -> list[str]:
    return [notice.check for notice in film_notices(measure_film(film, note=note), distances)]


def test_an_upright_frontal_film_has_no_notice(frontal: np.ndarray) -> None:
    assert checks(frontal) == []
    assert checks(frontal, "16-bit file read as 12-bit", known=0.8, unknown=float("nan")) == []
    assert checks(frontal[:, ::-1]) == []  # mirrored: not recognised, as the documentation says


def test_what_went_wrong_with_a_film_is_recognised(frontal: np.ndarray, lateral: np.ndarray) -> None:
    assert checks(1 - frontal) == ["inverted"]
    assert checks(frontal[::-1]) == ["upside_down"]
    assert checks(lateral) == ["lateral"]
    assert checks(lateral[:, ::-1]) == ["lateral"]
    assert checks(1 - frontal[::-1]) == ["inverted", "upside_down"]


def test_pictures_that_show_no_chest_are_recognised_and_not_called_upside_down() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:96, :96] / 95
    assert checks(np.full((96, 96), 0.4)) == ["blank"]
    assert checks(rng.random((96, 96))) == ["noise"]
    assert checks(rng.random((1200, 900))) == ["noise"]  # also where shrinking makes it fainter
    assert checks(columns) == ["no_chest"]
    assert checks((rows + columns) / 2) == ["no_chest"]


def test_a_file_in_colour_is_recognised(tmp_path: Path, frontal: np.ndarray) -> None:
    from PIL import Image

    red = tmp_path / "red.jpg"
    Image.new("RGB", (90, 70), (220, 20, 20)).save(red)
    film = read_image(red)
    assert checks(film.pixels, film.note) == ["colour", "blank"]
    grey = np.repeat((frontal[..., None] * 255).astype(np.uint8), 3, axis=2)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    film = read_image(tmp_path / "grey.png")
    assert checks(film.pixels, film.note) == []


def test_a_film_beyond_the_limit_of_a_model_is_said_to_be_unlike_its_training_films(
    frontal: np.ndarray,
) -> None:
    (notice,) = film_notices(measure_film(frontal), {"First": 2.34, "Second": 0.9, "Third": float("nan")})
    assert notice.check == "unlike"
    assert "training films of First (2.3 times the limit)" in notice.text
    assert "Second" not in notice.text
    assert "nothing was measured" in without_distance(["Third"])
    assert without_distance([]) == ""


@pytest.mark.parametrize("name", FILM_CHECKS)
def test_every_check_has_a_title_a_remedy_and_names_only_earlier_checks(name: str) -> None:
    check, names = FILM_CHECKS[name], list(FILM_CHECKS)
    assert check.name == name
    assert check.title
    assert check.remedy.endswith(".")
    assert set(check.assumes) <= set(names[: names.index(name)])


def test_a_thumbnail_holds_ranks_whatever_the_exposure(frontal: np.ndarray) -> None:
    small = thumbnail(frontal)
    cells = frontal.reshape(CELLS, 96 // CELLS, CELLS, 96 // CELLS).mean(axis=(1, 3))
    ranks = rankdata(cells).reshape(CELLS, CELLS)
    expected = (ranks - ranks.mean()) / np.linalg.norm(ranks - ranks.mean())
    np.testing.assert_allclose(small, expected, atol=1e-12)
    # But for cells that are equal after rounding.
    np.testing.assert_allclose(thumbnail(0.2 + 0.5 * frontal), small, atol=0.01)
    assert not thumbnail(np.zeros((20, 30))).any()


def test_real_films_are_rarely_noticed_and_inverted_ones_nearly_always(real: Path) -> None:
    films = [read_image(path).pixels for path in sorted((real / "nih" / "images").iterdir())[::4]]
    assert sum(bool(checks(film)) for film in films) <= 5  # of 50
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "inverted": lambda film: 1 - film,
        "upside_down": lambda film: film[::-1],
    }
    for check, change in changes.items():
        found = [checks(change(film)) for film in films]
        assert sum(bool(names) for names in found) >= 48
        assert sum(check in names for names in found) >= 42
