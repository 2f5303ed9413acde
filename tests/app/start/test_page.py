"""The Start page: its numbers are those of the stored maps and twins, and it leads everywhere."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.services.radiographs import case
from cxrbench.app.start.example import EXAMPLE, scores_without
from cxrbench.app.start.pictures import film_png, thumbnails
from cxrbench.compare import gallery
from cxrbench.compare.run import prediction
from cxrbench.data.images import read_image
from cxrbench.models import hub

pytestmark = pytest.mark.usefixtures("plain_texts")


@pytest.fixture
def start() -> AppTest:
    return AppTest.from_file(str(Path(main.__file__)), default_timeout=60).run()


def words(at: AppTest) -> str:
    return " ".join(each.value for each in (*at.markdown, *at.caption))


def test_the_first_page_shows_three_maps_and_whether_they_hit(start: AppTest) -> None:
    assert not start.exception
    assert start.title[0].value == "cxrbench"
    assert [caption.value.split("**")[1] for caption in start.caption[1:4]] == ["Miss", "Hit", "Hit"]
    assert "It never sees this film" in start.caption[3].value


def test_one_button_takes_the_finding_away_and_puts_it_back(start: AppTest) -> None:
    start.button(key="take_away").click().run()
    assert not start.exception
    assert "EfficientNet-B0 (phantom): 1.00 → **0.0" in words(start)
    start.button(key="take_away").click().run()
    assert "→" not in words(start)


def test_the_score_without_the_finding_is_that_of_the_stored_twin() -> None:
    source = case(EXAMPLE.case)
    assert source.precomputed is not None
    assert source.twins is not None
    before, after = scores_without(source, source.precomputed, EXAMPLE.finding)[EXAMPLE.model]
    model = hub.load(EXAMPLE.model)
    for film, expected in ((source.image, before), (source.twins[EXAMPLE.finding], after)):
        scored = prediction(EXAMPLE.model, model, film)
        assert scored.scores[scored.labels.index(EXAMPLE.finding)] == pytest.approx(expected, abs=0.005)


def test_the_picture_of_a_change_is_grey_where_nothing_changed() -> None:
    film = np.full((32, 32), 0.4, np.float32)
    twin = film.copy()
    twin[8:16, 8:16] -= 0.2
    pixels = read_image(film_png(twin, of=film), name="change.png").pixels
    assert pixels[600, 600] == pytest.approx(0.5, abs=0.01)
    assert pixels[240, 240] == pytest.approx(0.5 - 1.5 * 0.2, abs=0.01)


def test_every_case_of_the_gallery_has_its_picture_and_its_link(start: AppTest) -> None:
    entries = gallery.cases()
    assert {entry.id for entry in entries} <= set(thumbnails())
    links = {link.proto.query_string for link in start.get("page_link")}
    assert {f"case={entry.id}" for entry in entries} <= links


def test_a_link_to_the_first_page_with_a_case_opens_it_on_compare() -> None:
    at = AppTest.from_file(str(Path(main.__file__)), default_timeout=60)
    at.query_params["case"], at.query_params["methods"] = "edema", ["grad_cam", "layer_cam"]
    at.run()
    assert not at.exception
    assert at.title[0].value == "Compare"
    assert at.query_params["case"] == "edema"
    assert at.query_params["methods"] == ["grad_cam", "layer_cam"]
