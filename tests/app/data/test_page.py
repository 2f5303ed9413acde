"""The Data page: a folder is added in the background, reported and forgotten; strangers name no folders."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.services import folder_access, own_set_films
from cxrbench.app.services import own_data_work as work
from cxrbench.app.services.background_tasks import tasks
from cxrbench.data import datasets, read_image
from cxrbench.errors import InputError
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGES = MAIN.parents[2] / "pages"


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("CXRBENCH_DATA", str(tmp_path / "own"))
    monkeypatch.delenv(folder_access.ROOTS, raising=False)
    monkeypatch.setattr(folder_access, "is_local", lambda: True)
    monkeypatch.setattr("cxrbench.app.data.own_sets.is_local", lambda: True)
    st.cache_resource.clear()
    yield
    for entry in datasets.scan():
        work.stop_all(entry.name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four films in RSNA's form, one of them missing and two the same."""
    films = tmp_path / "films"
    (films / "stage_2_train_images").mkdir(parents=True)
    for seed, name in enumerate(("a", "b", "c")):
        pixels = np.random.default_rng(min(seed, 1)).integers(0, 256, (32, 32), np.uint8)
        with (films / "stage_2_train_images" / f"{name}.dcm").open("wb") as file:
            Image.fromarray(pixels).save(file, "PNG")
    rows = "".join(f"{name},,,,,{int(name == 'a')}\n" for name in "abcd")
    (films / "stage_2_train_labels.csv").write_text(f"patientId,x,y,width,height,Target\n{rows}")
    return films


def opened(name: str = "data") -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGES / f"{name}.py"))


def add(at: AppTest, folder: str) -> AppTest:
    at.text_input(key="data_folder").set_value(folder)
    return next(button for button in at.button if button.label == "Add").click().run()


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happens() and time.monotonic() < end:
        time.sleep(0.02)
    assert happens()


def texts(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.error, *at.info, *at.warning]
    return " ".join(element.value for element in shown)


def test_an_empty_page_says_what_to_do_and_how_to_get_data_sets() -> None:
    at = opened().run()
    assert not at.exception
    assert "No data set was added yet" in texts(at)
    assert all(form.source in texts(at) for form in datasets.FORMS.values())


def test_a_folder_is_added_reported_and_forgotten(folder: Path) -> None:
    at = add(opened().run(), str(folder))
    assert not at.exception
    until(lambda: not tasks().busy())
    at.run()
    assert "4 images (4 train), 4 patients." in texts(at)
    assert "**missing: 1**" in texts(at)
    assert "**duplicated: 1**" in texts(at)
    assert "d.dcm: there is no such file" in " ".join(code.value for code in at.code)
    at.button(key="remove_rsna").click().run()
    assert not at.exception
    assert datasets.scan() == []
    assert len(list(folder.rglob("*"))) == 5


def test_a_folder_that_is_none_or_holds_no_data_set_is_refused_on_the_page(tmp_path: Path) -> None:
    at = add(opened().run(), str(tmp_path))
    assert "is not the folder of a known data set" in at.error[0].value
    at = add(at, str(tmp_path / "nothing"))
    assert "There is no folder" in at.error[0].value
    at = add(at, "")
    assert "Name the folder" in at.error[0].value


def test_an_inspection_shows_its_progress_and_can_be_stopped_and_continued(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr("cxrbench.data.datasets.inspection._BATCH", 1)

    def slowly(path: Path) -> object:
        if path.name != "a.dcm":
            go.wait(60)
        return read_image(path)

    monkeypatch.setattr("cxrbench.data.datasets.inspection.read_image", slowly)
    at = add(opened().run(), str(folder))
    until(lambda: (now := tasks().get(work.inspection_key("rsna"))) is not None and now.done == 1)
    at.run()
    assert "1 of 4 images read" in at.get("progress")[0].proto.text
    running = tasks().get(work.inspection_key("rsna"))
    assert running is not None
    running.stop.set()
    go.set()
    until(lambda: not tasks().busy())
    at.run()
    assert "Stopped after 2 of 4 images." in texts(at)
    at.button(key="check_rsna").click().run()
    until(lambda: not tasks().busy())
    report = datasets.find("rsna").report
    assert report is not None
    assert report.complete


def test_a_folder_that_vanished_is_said_and_can_be_removed(folder: Path) -> None:
    datasets.add(folder)
    folder.rename(folder.with_name("elsewhere"))
    at = opened().run()
    assert "is gone" in at.warning[0].value
    at.button(key="check_rsna").click().run()
    until(lambda: not tasks().busy())
    assert "is gone" in at.run().error[0].value
    at.button(key="remove_rsna").click().run()
    assert datasets.scan() == []


def test_an_added_data_set_opens_on_imbalance(folder: Path) -> None:
    datasets.add(folder, "mine")
    page = opened("imbalance")
    page.query_params["table"] = "mine: RSNA pneumonia challenge"
    at = page.run()
    assert not at.exception
    assert at.selectbox(key="table").value == "own-mine"
    assert "RSNA pneumonia challenge, your own copy." in texts(at)
    assert "4" in [metric.value for metric in at.metric]
    datasets.remove("mine")
    at = page.run()
    assert not at.exception


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        ("127.0.0.1", {}, True),
        ("localhost", {}, True),
        ("::1", {}, True),
        ("0.0.0.0", {}, False),
        (None, {}, False),
        ("192.168.1.4", {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, False),
    ],
)
def test_a_server_is_local_if_it_listens_on_loopback_without_a_proxy(
    address: str | None, headers: dict[str, str], *, local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # of the fixture, which says that it is local
    monkeypatch.setattr(st, "get_option", lambda name: address)
    monkeypatch.setattr(type(st.context), "headers", headers)
    assert folder_access.is_local() is local


def test_strangers_name_only_folders_below_the_listed_ones(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_access, "is_local", lambda: False)
    monkeypatch.setattr("cxrbench.app.data.own_sets.is_local", lambda: False)
    datasets.check(datasets.add(folder))
    folder.rename(folder.with_name("moved"))
    at = opened().run()
    assert str(tmp_path) not in " ".join([texts(at), *(code.value for code in at.code)])
    assert "is gone" in texts(at)
    folder.with_name("moved").rename(folder)
    assert "a visitor cannot name folders" in texts(at)
    assert not [button for button in at.button if button.label == "Add"]
    monkeypatch.setenv(folder_access.ROOTS, str(folder))
    folder_access.check_folder(folder / "stage_2_train_images")
    (folder / "link").symlink_to(tmp_path)
    for outside in (tmp_path, folder / "..", folder / "link"):
        with pytest.raises(InputError, match="this workbench is open to a network"):
            folder_access.check_folder(outside)
    at = add(opened().run(), str(tmp_path))
    assert "open to a network" in at.error[0].value


def test_models_are_evaluated_in_the_background_and_opened_on_performance(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    recipe = Preprocessing(size=32)
    model = create("vit_tiny", ("Pneumonia", "Edema"), name="m", preprocessing=recipe, pretrained=False)
    hub.save(model, tmp_path / "models" / "m")
    datasets.add(folder, "mine")
    at = opened().run()
    at.button(key="evaluate_mine").click().run()
    assert not at.exception
    until(lambda: not tasks().busy())
    at.run()
    assert not at.error
    assert [*work.evaluations(datasets.find("mine"))] == ["m"]
    page = opened("performance")
    page.query_params["data"] = "mine"
    at = page.run()
    assert not at.exception
    assert at.selectbox(key="performance_data").value == "mine"
    assert "3 images of 3 patients. Pneumonia: 1 present, 2 absent." in texts(at)
    opened().run().button(key="remove_mine").click().run()
    assert not (tmp_path / "own" / "mine").exists()


def test_an_image_of_a_data_set_is_a_radiograph_with_its_labels(folder: Path) -> None:
    datasets.add(folder, "mine")
    film = own_set_films.radiograph("mine/stage_2_train_images/a.dcm")
    assert (film.image.shape, film.truth, film.findings) == ((32, 32), {"Pneumonia": 1}, ("Pneumonia",))
    assert film.link == ("image", "mine/stage_2_train_images/a.dcm")
    assert "Labelled present: Pneumonia." in film.description
    address = urlsplit(own_set_films.compare_address("mine", "stage_2_train_images/a.dcm", "Edema", ["m"]))
    link = {"image": [film.link[1]], "models": ["m"], "findings": ["Edema"]}
    assert parse_qs(address.query) == link


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine/../secret.png", "lists no image '../secret.png'"),
        ("mine//etc/passwd", "lists no image '/etc/passwd'"),
        ("mine/stage_2_train_images/d.dcm", "there is no such file"),
        ("other/a.dcm", "There is no data set named 'other'"),
        ("../mine/a.dcm", "There is no data set named '..'"),
    ],
)
def test_only_images_that_a_data_set_lists_can_be_opened(text: str, message: str, folder: Path) -> None:
    datasets.add(folder, "mine")
    (folder.parent / "secret.png").write_bytes(b"secret")
    with pytest.raises(InputError, match=re.escape(message)):
        own_set_films.radiograph(text)
