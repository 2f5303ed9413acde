"""Links with their QR codes: what a camera reads, and what is said where other devices cannot follow."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cxrbench.app.widgets import share

LINK = (
    "http://192.168.1.20:8501/compare?case=pleural-effusion&models=efficientnet_b0&methods=grad_cam"
    "&methods=integrated_gradients&methods=rise%28masks%3D2000%29&findings=Pleural+Effusion&edit=without%3Aedema"
)


def pixels(text: str) -> np.ndarray:
    code = share.code_png(text)
    assert code is not None
    image = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image


def test_a_camera_reads_the_link_from_the_code() -> None:
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels(LINK))
    assert text == LINK


def test_the_code_is_dark_on_white_with_a_quiet_zone_and_large_enough_for_a_projector() -> None:
    image = pixels(LINK)
    rows, columns = np.nonzero(image < 128)
    module = np.argmax(image[rows.min(), columns.min() :] > 127) / 7  # a finder pattern is seven modules wide
    assert set(np.unique(image)) == {0, 255}
    assert min(image.shape) >= 800
    assert rows.min() == columns.min() == image.shape[0] - 1 - rows.max() == 4 * module


def test_a_text_that_no_code_can_hold_has_none() -> None:
    assert share.code_png("x" * 2300) is not None
    assert share.code_png("x" * 2400) is None


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8501/quiz", True),
        ("http://127.0.0.1:8501/quiz", True),
        ("http://[::1]:8501/quiz", True),
        ("http://192.168.1.20:8501/quiz", False),
        ("https://localhost.example.org/quiz", False),
    ],
)
def test_addresses_of_this_computer_only_are_told_apart(address: str, local: bool) -> None:
    assert share.this_computer_only(address) is local


@pytest.mark.parametrize(
    ("page", "wanted"),
    [("", "http://host/base/performance"), ("compare", "http://host/base/compare")],
)
def test_a_link_may_be_to_another_page(page: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(url="http://host/base/performance/"))
    assert share.page_address(page) == wanted


def test_the_link_of_a_list_of_twelve_films_has_a_code_that_a_camera_reads() -> None:
    films = [f"test/patient{number:05d}/study1/view2_lateral.png" for number in range(3000, 3012)]
    listed = "&".join(f"list={film}" for film in films)
    link = f"http://192.168.1.20:8501/compare?{listed}&models=efficientnet_b0"
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels(link))
    assert text == link


def _page() -> None:
    from cxrbench.app.widgets.share import draw_link

    draw_link([("quiz_seed", "7"), ("quiz_ai", "A & B")], "Opens this quiz.")


@pytest.mark.parametrize("host", ["localhost:8501", "192.168.1.20:8501"])
def test_the_link_is_shown_with_its_code_and_with_a_warning_where_only_this_computer_reaches_it(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "page_address", lambda page="": f"http://{host}/quiz")
    at = AppTest.from_function(_page).run()
    assert not at.exception
    assert at.code[0].value == f"http://{host}/quiz?quiz_seed=7&quiz_ai=A+%26+B"
    assert len(at.get("image")) == 1
    assert [host in share.page_address() for _ in at.warning] == ([True] if "localhost" in host else [])


def test_a_link_that_is_too_long_is_shown_without_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "code_png", lambda text: None)
    at = AppTest.from_function(_page).run()
    assert not at.get("image")
    assert "too long for a QR code" in at.info[0].value
