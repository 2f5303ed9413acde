"""The Models page: a model is added in the background, with progress, and removed; strangers add none."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.models import adding
from cxrbench.app.services import folder_access
from cxrbench.app.services import own_model_work as work
from cxrbench.app.services.background_tasks import tasks
from cxrbench.errors import InputError
from cxrbench.models import create, hub, own
from cxrbench.models.offered import OfferedModel
from cxrbench.preprocess import Preprocessing

pytestmark = pytest.mark.usefixtures("plain_texts")

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGE = MAIN.parents[2] / "pages" / "models.py"


def small(name: str) -> Any:
    return create("efficientnet_b0", ("Edema", "Mass"), name=name, preprocessing=Preprocessing(size=64))


OFFERED = OfferedModel(
    name="theirs",
    title="Theirs",
    repository="others/model",
    file="model.pt",
    licence="CC BY-NC 4.0: not for commercial use",
    learned_from="NIH and PadChest",
    findings=2,
    size=10_000_000,
    load=lambda path: small("theirs"),
    sha256="0" * 64,
)


class SlowDownload:
    """In the place of a download: 3 of 10 MB at once, the rest when it is allowed to go on."""

    def __init__(self) -> None:
        self.go, self.error = threading.Event(), ""

    def __call__(self, repository: str, filename: str, folder: Path, **options: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{filename}.0.part"
        part.write_bytes(bytes(3_000_000))
        options["progress"](filename, 3_000_000, 10_000_000)
        if self.error:
            raise InputError(self.error)
        self.go.wait(60)
        options["progress"](filename, 4_000_000, 10_000_000)
        return part.replace(folder / filename)


@pytest.fixture(autouse=True)
def download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDownload]:
    for variable, folder in (("ASSETS", "assets"), ("MODELS", "own"), ("RUNS", "runs")):
        monkeypatch.setenv(f"CXRBENCH_{variable}", str(tmp_path / folder))
    monkeypatch.delenv(folder_access.ROOTS, raising=False)
    monkeypatch.setattr(folder_access, "is_local", lambda: True)
    monkeypatch.setattr(adding, "is_local", lambda: True)
    for module in (own, adding):
        monkeypatch.setattr(module, "OFFERED", {"theirs": OFFERED})
    slow = SlowDownload()
    monkeypatch.setattr("cxrbench.models.download.download", slow)
    st.cache_resource.clear()
    yield slow
    slow.go.set()
    work.stop("theirs")


def opened() -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE))


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happens() and time.monotonic() < end:
        time.sleep(0.02)
    assert happens()


def begun() -> bool:
    task = work.task_of("theirs")
    return task is not None and task.done > 0


def submit(at: AppTest) -> None:
    """Press the button of the form."""
    next(button for button in at.button if "add_model" in str(button.key)).click().run()


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def texts(at: AppTest) -> str:
    assert not at.exception
    shown = [*at.markdown, *at.caption, *at.error, *at.info, *at.warning, *at.success]
    return " ".join(element.value for element in shown)


def test_what_can_be_added_is_listed_with_data_set_licence_and_size() -> None:
    at = opened().run()
    assert "There is no model yet. Add one below" in texts(at)
    assert "Learned from NIH and PadChest. Licence: CC BY-NC 4.0: not for commercial use. 10 MB" in texts(at)
    assert "Without a network: run `cxrbench models add NAME` on a machine that has one" in texts(at)


def test_a_model_is_added_with_its_progress_and_removed(download: SlowDownload, tmp_path: Path) -> None:
    at = opened().run()
    at.button(key="add_theirs").click().run()
    until(begun)
    at.run()
    assert at.get("progress")[0].proto.text == "3.0 of 10.0 MB received. You can leave the page."
    assert "add_theirs" not in [button.key for button in at.button]
    assert not work.add("theirs")  # another viewer, a moment later
    download.go.set()
    until(lambda: not tasks().busy())
    at.run()
    assert ":material/check: on the bench" in texts(at)
    assert "`theirs` · EfficientNet-B0, 2 findings" in texts(at)
    assert "Learned from: NIH and PadChest." in texts(at)  # its card
    at.button(key="remove_own_theirs").click().run()
    assert "There is no model yet" in texts(at)
    assert list((tmp_path / "own").iterdir()) == []


def test_a_download_that_was_stopped_can_be_continued(download: SlowDownload) -> None:
    at = opened().run()
    at.button(key="add_theirs").click().run()
    until(begun)
    task = work.task_of("theirs")
    assert task is not None
    task.stop.set()
    download.go.set()
    until(lambda: not tasks().busy())
    at.run()
    assert "Continue" in labels(at)
    assert hub.available() == {}
    at.button(key="add_theirs").click().run()
    until(lambda: not tasks().busy())
    assert list(hub.available()) == ["theirs"]


def test_a_download_that_failed_says_why_and_can_be_tried_again(download: SlowDownload) -> None:
    download.error = "The Hub is not available; connect to the network."
    at = opened().run()
    at.button(key="add_theirs").click().run()
    until(lambda: not tasks().busy())
    at.run()
    assert at.error[0].value == download.error
    assert "Continue" in labels(at)


def test_a_folder_is_added_by_its_path(tmp_path: Path) -> None:
    hub.save(small("mine"), tmp_path / "elsewhere")
    at = opened().run()
    for what, sentence in (
        ("", "Name a folder"),
        (str(tmp_path / "nothing"), "There is no folder"),
    ):
        at.text_input(key="model_what").set_value(what)
        submit(at)
        assert sentence in at.error[0].value
    at.text_input(key="model_what").set_value(str(tmp_path / "elsewhere"))
    submit(at)
    until(lambda: not tasks().busy())
    at.run()
    assert "was added." in at.success[0].value
    assert "`mine`" in texts(at)
    assert list(hub.available()) == ["mine"]


def test_strangers_can_neither_add_nor_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.save(small("mine"), tmp_path / "own" / "mine")
    monkeypatch.setattr(folder_access, "is_local", lambda: False)
    monkeypatch.setattr(adding, "is_local", lambda: False)
    at = opened().run()
    assert "open to a network" in at.info[0].value
    assert labels(at) == []
    assert not at.text_input
    assert str(tmp_path) not in texts(at)


def test_a_folder_that_holds_no_model_is_said_and_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "own" / "cake").mkdir(parents=True)
    (tmp_path / "own" / "cake" / "config.json").write_text("{")
    at = opened().run()
    assert "is not JSON" in at.warning[0].value
    at.button(key="remove_own_cake").click().run()
    assert not (tmp_path / "own" / "cake").exists()
