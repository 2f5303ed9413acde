"""The Preparation page: every step, with a description that is true of its picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrbench.app.navigation import page_file
from cxrbench.app.preparation import preprocessing
from cxrbench.app.preparation.preprocessing import steps, with_mask
from cxrbench.app.services.radiographs import Source
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.preprocess.lungs import Lungs
from cxrbench.writing import png_bytes

PAGE = page_file("preparation")
FILM = np.random.default_rng(0).random((80, 100), dtype=np.float32)


def two_lungs(image: np.ndarray) -> Lungs:
    mask = np.zeros(image.shape, bool)
    height, width = image.shape
    mask[height // 8 : -height // 8, width // 8 : width // 2 - 3] = True
    mask[height // 8 : -height // 8, width // 2 + 3 : -width // 8] = True
    return Lungs(mask, True, "")


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page with one uploaded image and no gallery."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    monkeypatch.setattr(preprocessing, "segment", two_lungs)
    preprocessing.lungs_of.clear()
    at = AppTest.from_file(str(PAGE), default_timeout=300)
    at.session_state["own_films"] = {"own-film": Source("film", "", FILM, "sha of the film")}
    return at


def test_the_page_opens_on_a_radiograph_and_follows_its_controls(page: AppTest) -> None:
    at = page.run()
    assert not at.exception
    captions = " ".join(caption.value for caption in at.caption)
    assert "Orange: the lungs" in captions
    assert "224 × 224" in captions
    at.selectbox(key="prep_contrast").select("none")
    at.toggle(key="prep_crop").set_value(False)
    at.slider(key="prep_window").set_value(0.0).run()
    assert not at.exception
    captions = " ".join(caption.value for caption in at.caption)
    assert "Unchanged." in captions
    assert "Not cropped." in captions


def test_a_missing_segmentation_network_is_reported(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(image: np.ndarray) -> Lungs:
        raise InputError("The lungs' network is not there.")

    monkeypatch.setattr(preprocessing, "segment", missing)
    at = page.run()
    assert not at.exception
    assert "The lungs' network is not there." in " ".join(caption.value for caption in at.caption)


def test_without_any_radiograph_the_page_asks_for_one(page: AppTest) -> None:
    del page.session_state["own_films"]
    at = page.run()
    assert not at.exception
    assert "open your own image" in at.info[0].value


def test_an_uploaded_image_is_shown_at_once_and_an_error_stays(page: AppTest) -> None:
    at = page.run()
    picture = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    for name, pixels in (("film.png", picture), ("film.png", picture[:40])):
        at.file_uploader(key="prep_upload").upload(
            name, png_bytes(with_mask(pixels / 255)), "image/png"
        ).run()
        assert not at.exception
        height, width = pixels.shape
        assert f"{width} × {height} grey pixels" in " ".join(caption.value for caption in at.caption)
    assert at.selectbox(key="prep_film").options[-2:] == ["Yours: film.png", "Yours: film.png (2)"]
    at.file_uploader(key="prep_upload").upload("notes.png", b"not a picture", "image/png").run()
    at.run()
    assert "notes.png: " in at.error[0].value
    at.selectbox(key="prep_film").select_index(0).run()
    assert not at.error


@pytest.mark.parametrize("sure", [True, False])
def test_the_steps_follow_the_preprocessing(sure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    lungs = two_lungs(FILM)
    monkeypatch.setattr(
        preprocessing, "segment", lambda image: Lungs(lungs.mask, sure, "" if sure else "Dim.")
    )
    preprocessing.lungs_of.clear()
    settings = Preprocessing(size=32, crop="lungs", fit="pad")
    pictures = steps(Source("film", "", FILM, f"sha {sure}"), settings)
    assert [step.title[0] for step in pictures] == list("123456")
    assert pictures[4].size == (32, 32)
    assert pictures[5].size == FILM.shape
    kept = (80 - 8) * (100 - 22) if sure else FILM.size
    assert (pictures[2].size[0] * pictures[2].size[1] < FILM.size) == sure
    assert pictures[2].size[0] * pictures[2].size[1] >= 0.8 * kept
    assert ("Dim." in pictures[1].description) != sure


def test_a_drawing_keeps_grey_values_and_shows_mask_and_box() -> None:
    mask = np.zeros(FILM.shape, bool)
    mask[20:60, 30:70] = True
    plain = np.asarray(Image.open(io.BytesIO(png_bytes(with_mask(FILM)))))
    np.testing.assert_array_equal(plain[..., 0], np.rint(FILM * 255))
    assert (plain[..., 0] == plain[..., 2]).all()
    both = with_mask(FILM, mask, (5, 5, 75, 90))
    changed = (both != plain).any(2)
    assert changed[20, 30:70].all()
    assert changed[5, 5:90].all()
    assert not changed[35:45, 40:60].any()
    assert max(with_mask(np.zeros((2000, 1000), np.float32)).shape) == 560


def test_the_first_step_states_the_note_of_the_reader() -> None:
    film = Source("film", "", FILM, "noted film", note="16-bit file read as 12-bit")
    first = steps(film, Preprocessing(size=64))[0]
    assert first.description.endswith("bone bright. Note on the file: 16-bit file read as 12-bit.")
