import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.app.compare.options import model_titles
from cxrbench.app.services.map_jobs import gather
from cxrbench.app.services.radiographs import case, own
from cxrbench.compare import Settings, bundle
from cxrbench.errors import InputError


def test_a_case_brings_its_maps_and_its_truth(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    heart = case("heart")
    assert heart.given is not None
    assert heart.truth["Cardiomegaly"] == 1
    assert heart.words == "Made for tests: Cardiomegaly. PA view."
    assert heart.view == "PA"
    assert heart.sha256 != case("fluid").sha256


def test_a_picture_is_known_by_its_bytes() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(6400, dtype=np.uint16).reshape(80, 80)).save(buffer, "PNG")
    film = own(buffer.getvalue(), "film.png")
    assert film.image.shape == (80, 80)
    assert film.given is None
    assert film.words.startswith("PNG, 80 × 80 pixels; ")  # what was decided about its depth is said


def test_the_note_of_a_films_reader_goes_into_its_bundle_and_out_again(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    buffer = io.BytesIO()
    Image.fromarray(np.arange(6400, dtype=np.uint16).reshape(80, 80)).save(buffer, "PNG")
    film = own(buffer.getvalue(), "film.png")
    assert film.note == "16-bit file read as 14-bit: its samples end at 6399"
    view = gather(film, Settings((), ()), {})
    assert view.comparison.note == film.note
    file = io.BytesIO()
    bundle.save(view.comparison, file)
    again = own(file.getvalue(), "saved.zip")
    assert again.note == film.note
    assert film.note in again.words


def test_a_bundle_is_shown_as_it_is(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    given = case("heart").given
    assert given is not None
    buffer = io.BytesIO()
    bundle.save(given, buffer)
    saved = own(buffer.getvalue(), "saved.zip")
    assert not saved.computes
    assert saved.given is not None
    assert saved.given.settings == given.settings
    assert saved.given.findings == ("Cardiomegaly",)
    assert saved.view == "PA"
    assert saved.words.endswith("PA view.")
    assert model_titles(saved) == {"small": "Small"}


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_anything_else_gets_a_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match="mine"):
        own(data, "mine")
