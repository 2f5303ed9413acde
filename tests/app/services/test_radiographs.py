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


def test_a_case_has_its_maps_and_its_ground_truth(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    heart = case("heart")
    assert heart.precomputed is not None
    assert heart.truth["Cardiomegaly"] == 1
    assert heart.description == "Made for tests: Cardiomegaly. PA view."
    assert heart.view == "PA"
    assert heart.sha256 != case("fluid").sha256


def test_an_uploaded_image_is_read_from_its_bytes() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(6400, dtype=np.uint16).reshape(80, 80)).save(buffer, "PNG")
    film = own(buffer.getvalue(), "film.png")
    assert film.image.shape == (80, 80)
    assert film.precomputed is None
    assert film.description.startswith("PNG, 80 × 80 pixels; ")  # what was decided about its depth is said


def test_the_note_on_an_image_file_survives_a_bundle(
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
    assert film.note in again.description


def test_a_bundle_keeps_its_settings_and_computes_nothing(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    given = case("heart").precomputed
    assert given is not None
    buffer = io.BytesIO()
    bundle.save(given, buffer)
    saved = own(buffer.getvalue(), "saved.zip")
    assert not saved.computes
    assert saved.precomputed is not None
    assert saved.precomputed.settings == given.settings
    assert saved.precomputed.findings == ("Cardiomegaly",)
    assert saved.view == "PA"
    assert saved.description.endswith("PA view.")
    assert model_titles(saved) == {"small": "Small"}


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_any_other_file_raises_an_input_error_that_names_it(data: bytes) -> None:
    with pytest.raises(InputError, match="mine"):
        own(data, "mine")
