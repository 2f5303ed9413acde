"""The Phantom page: controls, outlines, ground truth and downloads."""

import io
import json
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.navigation import page_file
from cxrbench.app.phantom.view import archive, drawing, regions, truth_table
from cxrbench.app.services import map_jobs, phantoms
from cxrbench.app.services.phantom_settings import DIALS, PhantomSettings
from cxrbench.app.services.phantoms import radiograph, simulate
from cxrbench.app.widgets.versions import key_in
from cxrbench.data.phantom import render
from cxrbench.data.phantom.film import ExposureSettings

MAIN = Path(main.__file__)
COMPARE = MAIN.parents[2] / "pages" / "compare.py"
ILL = PhantomSettings(3, "PA", findings=(("Edema", 0.7), ("Pleural Effusion", 0.6)), shortcuts=("hospital",))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images, for speed."""
    monkeypatch.setattr(phantoms, "SIZE", 96)
    simulate.cache_clear()


def test_the_page_renders_what_the_library_renders_and_caches_it() -> None:
    direct = render(3, dict(ILL.findings), size=96, shortcuts=["hospital"])
    assert np.array_equal(simulate(ILL).image, direct.image)
    assert simulate(ILL) is simulate(PhantomSettings(**vars(ILL)))


def test_every_dial_is_an_exposure_setting_and_changes_the_image() -> None:
    plain = {name: 10**dial.typical if dial.log else dial.typical for name, dial in DIALS.items()}
    start = render(3, size=96, shot=plain).image
    for name, dial in DIALS.items():
        assert name in ExposureSettings.__dataclass_fields__
        assert dial.low <= dial.typical <= dial.high
        end = 10**dial.high if dial.log else dial.high
        assert not np.array_equal(render(3, size=96, shot={**plain, name: end}).image, start)


def test_the_drawing_contains_the_selected_outlines_only() -> None:
    phantom = simulate(ILL)
    names = list(regions(phantom))
    assert names[-2:] == ["Heart", "Lungs"]
    assert {"Edema", "Pleural Effusion", "Shortcut: hospital's lead token"} < set(names)
    svg = ElementTree.fromstring(drawing(phantom, ["Edema", "Heart", "Hiccups"]))
    assert [text.text for text in svg.findall("{*}text")] == ["Edema", "Heart"]
    assert len(svg.findall("{*}path")) == 4  # a line and its halo each
    assert not ElementTree.fromstring(drawing(phantom, [])).findall("{*}path")


def test_the_table_states_the_truth_of_all_fourteen_findings() -> None:
    phantom = simulate(ILL)
    table = truth_table(phantom).set_index("Finding")
    assert len(table) == 14
    assert dict(table["Truth"]) == {name: bool(value) for name, value in phantom.truth.items()}
    assert table["Truth"].is_monotonic_decreasing
    assert table.loc["Edema", "Severity"] == "0.70"
    assert table.loc["Lung Opacity", "Severity"] == ""  # a parent implied by its child
    assert table.loc["Lung Opacity", "Mask"] == f"{phantom.masks['Lung Opacity'].mean():.1%}"
    assert table.loc["Fracture", "Box"] == ""


def test_the_settings_in_the_archive_reproduce_the_image() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(simulate(ILL), ILL))) as bundle:
        record = json.loads(bundle.read("truth.json"))
        film, mask = (
            cv2.imdecode(np.frombuffer(bundle.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            for name in ("film.png", "masks/edema.png")
        )
    assert film is not None
    assert mask is not None
    again = render(**record["order"])
    assert np.array_equal(np.rint(again.image * 255), film)
    assert np.array_equal(again.masks["Edema"], mask > 0)
    assert record["truth"] == again.truth


def test_compare_receives_the_image_with_its_truth_and_masks() -> None:
    source = radiograph(ILL)
    assert source.computes
    assert source.truth["Edema"] == 1
    assert source.masks["Edema"].shape == source.image.shape
    assert source.sha256 != radiograph(PhantomSettings(4)).sha256


@pytest.fixture
def page(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    at = AppTest.from_file(str(MAIN), default_timeout=300).run()
    return at.switch_page(str(page_file("phantom"))).run()


def test_a_changed_control_changes_the_phantom(page: AppTest) -> None:
    assert not page.exception
    assert page.dataframe[0].value["Finding"].tolist()[0] == "Pleural Effusion"
    assert page.dataframe[0].value["Truth"].tolist() == [True] + [False] * 13
    page.button_group(key="finding").set_value([]).run()
    assert page.dataframe[0].value["Finding"].tolist()[0] == "No Finding"
    page.button_group(key="finding").set_value(["Edema"]).run()
    assert not page.exception
    assert page.slider(key="severity_edema").value == 0.6
    assert page.dataframe[0].value["Finding"].tolist()[:2] == ["Lung Opacity", "Edema"]
    page.button(key="new_patient").click().run()
    assert not page.exception
    page.toggle(key="by_hand").set_value(True).run()
    assert not page.exception
    assert {dial.title for dial in DIALS.values()} < {slider.label for slider in page.slider}


def test_explain_on_compare_opens_this_image_and_its_link_restores_it(page: AppTest) -> None:
    page.button_group(key="finding").set_value(["Cardiomegaly"]).run()
    page.button(key="to_compare").click().run()
    assert not page.exception
    shown = page.selectbox(key=key_in(page.session_state, "pick_case")).value
    assert page.session_state["own_films"][shown].truth["Cardiomegaly"] == 1
    assert page.selectbox(key=key_in(page.session_state, "pick_finding")).value == "Cardiomegaly"
    restored = AppTest.from_file(str(MAIN), default_timeout=300).switch_page(str(COMPARE))
    for name in page.query_params:
        restored.query_params[name] = page.query_params[name]
    restored.run()
    assert not restored.exception
    assert not restored.warning
    assert (
        restored.selectbox(key=key_in(restored.session_state, "pick_case")).options[-1]
        == "Yours: Phantom 1, PA"
    )
    assert restored.selectbox(key=key_in(restored.session_state, "pick_finding")).value == "Cardiomegaly"
    pills = [
        [group.value for group in at.button_group if str(group.key).startswith("pick_methods")]
        for at in (restored, page)
    ]
    assert pills[0] == pills[1]
    assert any(pills[0])
    while map_jobs.QUEUE.busy():  # no thread may outlive the process that tests
        time.sleep(0.1)
