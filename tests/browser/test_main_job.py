"""The main job, in a real browser: look at a case, change what is shown, open an own film, take it away."""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from PIL import Image

Visits = Callable[..., Any]


@pytest.fixture(scope="session")
def gallery(assets_root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((assets_root / "gallery" / "index.json").read_text())
    return found


@pytest.fixture(scope="session")
def film() -> np.ndarray:
    """Something like a chest: two dark lungs on grey, with grain."""
    rows, columns = np.mgrid[:300, :260]
    lungs = sum(np.exp(-(((rows - 150) / 90) ** 2) - ((columns - x) / 40) ** 2) for x in (80, 180))
    grain = np.random.default_rng(0).normal(0, 6, rows.shape)
    picture: np.ndarray = np.clip(190 - 150 * lungs + grain, 0, 255).astype(np.uint8)
    return picture


@pytest.fixture
def png(film: np.ndarray, tmp_path: Path) -> Path:
    Image.fromarray(film).save(tmp_path / "film.png")
    return tmp_path / "film.png"


def dicom(pixels: np.ndarray, path: Path, frames: int = 1) -> Path:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.Modality = "Secret^Name", "DX"
    data.Rows, data.Columns = pixels.shape
    data.NumberOfFrames = frames
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = (pixels.astype("<u2") * 16).tobytes() * frames
    data.save_as(path, enforce_file_format=True)
    return path


def huge_png(path: Path) -> Path:
    """30,000 × 30,000 pixels in a few hundred bytes: the header alone must be enough to refuse it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    return path


def test_a_cold_start_shows_drawn_maps(visit: Visits, gallery: dict[str, Any]) -> None:
    here = visit()
    assert here.page.get_by_role("link", name="Performance").is_visible()
    assert here.page.get_by_text("Not for clinical use.").first.is_visible()
    prints = here.prints()
    assert len(prints) == 4
    assert len(set(prints)) >= 3
    assert here.draw_count() > 0
    assert here.shows(re.escape(gallery["cases"][0]["why"]))


def test_a_deep_link_on_a_cold_start_shows_navigation_and_selection(
    visit: Visits, gallery: dict[str, Any]
) -> None:
    case = gallery["cases"][1]
    finding = case["findings"][-1]
    here = visit(f"/compare?case={case['id']}&findings={finding.replace(' ', '+')}&methods=grad_cam")
    assert here.page.get_by_role("link", name="Performance").is_visible()
    assert here.page.locator('a[aria-current="page"]').inner_text().endswith("Compare")
    assert not here.page.get_by_text("Page not found").count()
    assert here.page.get_by_text("Not for clinical use.").first.is_visible()
    assert here.shows(re.escape(case["why"]))
    assert len(here.prints()) == 2
    assert here.shows(rf"{finding}: present \(ground truth\)")


def test_a_link_to_unknown_names_lists_the_available_ones(visit: Visits, gallery: dict[str, Any]) -> None:
    here = visit("/?case=atlantis&findings=Gout")
    warnings = " ".join(here.page.get_by_test_id("stAlert").all_inner_texts())
    assert "'atlantis', which is not available; choose from: " + gallery["cases"][0]["id"] in warnings
    assert "'Gout', which is not available; choose from: No Finding" in warnings
    assert len(here.prints()) == 4


def test_switching_the_finding_changes_the_maps_and_computes_nothing(visit: Visits) -> None:
    here = visit()
    before = here.prints()
    here.choose("Finding", "No Finding")
    here.wait_for_words(r"No Finding: (present|absent) \(ground truth\)")
    here.settle()
    assert sum(a != b for a, b in zip(before, here.prints(), strict=True)) >= 2
    assert here.page.get_by_text("pre-computed").count() == 1  # said once, of all maps
    assert not here.page.get_by_text("computed on demand").count()


def test_display_settings_send_nothing_to_the_server(visit: Visits) -> None:
    here = visit()
    here.page.wait_for_timeout(500)
    before, sent = here.prints(), here.sent
    slider = here.page.get_by_label("Opacity")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowLeft")
    here.page.locator("select[data-view=scale]").select_option("all")
    here.page.locator("[data-do=in]").click()
    here.page.wait_for_timeout(500)
    assert here.prints()[1] != before[1]
    assert here.sent == sent


def test_the_explanation_of_an_upload_can_be_stopped_and_resumed(visit: Visits, png: Path) -> None:
    # The gallery holds no maps of so many steps: they are begun, and given up for the upload.
    here = visit("/?methods=grad_cam&methods=integrated_gradients&steps=300", rest=False)
    here.page.locator(".st-key-stop").wait_for(timeout=60_000)
    here.upload(png)
    here.page.get_by_text("PNG, 260 × 300 pixels").wait_for(timeout=60_000)
    here.page.get_by_text(re.compile(r"\d+% of the steps, completeness error")).wait_for(timeout=60_000)
    here.page.locator(".st-key-stop button").click()
    here.page.get_by_text(re.compile(r"stopped at \d+%")).first.wait_for(timeout=60_000)
    here.settle()
    assert len(set(here.prints())) == 3
    here.page.locator("[data-do=link]").click()
    assert here.page.get_by_text("An uploaded image cannot be linked").is_visible()
    here.page.get_by_role("button", name="Compute the rest").click()
    here.page.get_by_text("being computed").or_(
        here.page.get_by_text("of the steps, completeness")
    ).first.wait_for()


def test_a_dicom_is_explained_and_its_patient_is_not_shown(
    visit: Visits, film: np.ndarray, tmp_path: Path
) -> None:
    here = visit("/?methods=grad_cam")
    here.upload(dicom(film, tmp_path / "film.dcm"))
    here.page.get_by_text("DICOM, 260 × 300 pixels").wait_for(timeout=60_000)
    here.settle()
    assert here.page.get_by_text("computed on demand").count() == 1
    assert "Secret" not in here.page.content()


@pytest.mark.slow
def test_a_real_film_is_explained(visit: Visits, real: Path) -> None:
    here = visit("/?methods=grad_cam&methods=grad_cam_plus_plus")
    path = sorted(real.joinpath("nih").rglob("*.png"))[0]
    here.upload(path)
    here.page.get_by_text("computed on demand").wait_for(timeout=60_000)
    here.settle()
    assert len(set(here.prints())) == 3


INVALID: dict[str, tuple[Callable[[Path, np.ndarray], object], str]] = {
    "empty.png": (lambda path, film: path.write_bytes(b""), "got an empty file"),
    "half.png": (lambda path, film: path.write_bytes(_as_png(film)[:2000]), "half.png: "),
    "notes.png": (lambda path, film: path.write_text("not a picture"), "got a text file"),
    "huge.png": (lambda path, film: huge_png(path), "30000"),
    "stack.dcm": (lambda path, film: dicom(film, path, frames=3), "stack.dcm: "),
    "bundle.zip": (lambda path, film: _stray_zip(path), "bundle.zip must hold"),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_file_gives_one_error_message(
    visit: Visits, film: np.ndarray, tmp_path: Path, name: str
) -> None:
    make, message = INVALID[name]
    make(tmp_path / name, film)
    here = visit()
    here.upload(tmp_path / name)
    alert = here.page.get_by_test_id("stAlert")
    alert.wait_for(timeout=60_000)
    assert alert.count() == 1
    text = alert.inner_text().strip()
    assert message in text
    assert text.endswith(".")
    assert "Traceback" not in text
    assert not here.page.get_by_test_id("stException").count()
    assert len(here.prints()) == 4


def test_a_copied_link_restores_selection_and_display_settings(
    visit: Visits, gallery: dict[str, Any]
) -> None:
    case = gallery["cases"][1]
    here = visit(f"/compare?case={case['id']}&methods=layer_cam")
    slider = here.page.get_by_label("Opacity")
    slider.focus()
    slider.press("Home")
    here.page.locator("[data-do=link]").click()
    here.page.get_by_text("Link copied").wait_for()
    link = here.page.evaluate("navigator.clipboard.readText()")
    parameters = parse_qs(urlparse(link).query)
    assert parameters["case"] == [case["id"]]
    assert parameters["methods"] == ["layer_cam"]
    assert parameters["view"][0].startswith("o0-")
    there = visit(link.removeprefix(here.address))
    assert there.shows(re.escape(case["why"]))
    assert there.page.get_by_label("Opacity").input_value() == "0"


def test_a_saved_bundle_can_be_uploaded_again(visit: Visits, tmp_path: Path) -> None:
    here = visit("/?methods=grad_cam&methods=integrated_gradients")
    before = here.prints()
    with here.page.expect_download() as waiting:
        here.page.locator(".st-key-open_save button").first.click()
        here.page.get_by_role("button", name="Save bundle").click()
    waiting.value.save_as(tmp_path / "saved.zip")
    with zipfile.ZipFile(tmp_path / "saved.zip") as bundle:
        assert set(bundle.namelist()) == {"settings.json", "maps.npz", "image.png"}
    there = visit("/?methods=layer_cam")
    there.upload(tmp_path / "saved.zip")
    there.page.get_by_text("A saved bundle").wait_for(timeout=60_000)
    there.settle()
    assert there.page.get_by_text("from the bundle").count() == 1
    assert len(there.prints()) == len(before) == 3


def test_the_picture_can_be_saved(visit: Visits) -> None:
    here = visit()
    with here.page.expect_download() as waiting:
        here.page.locator("[data-do=png]").click()
    with Image.open(waiting.value.path()) as saved:
        assert saved.format == "PNG"
        assert saved.width > 4 * 512


def test_four_panels_fit_a_projector(visit: Visits) -> None:
    here = visit(width=1280, height=720)
    boxes = [frame.bounding_box() for frame in here.page.locator(".frame").all()]
    assert len(boxes) == 4
    assert all(box["y"] + box["height"] <= 690 for box in boxes)  # above the disclaimer


def _as_png(film: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(film).save(buffer, "PNG")
    return buffer.getvalue()


def _stray_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("hello.txt", "hello")
