import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.training import view
from cxrbench.errors import InputError
from cxrbench.training import sources
from cxrbench.training.config import DataConfig
from cxrbench.training.run import history, launcher, recipes
from cxrbench.training.run import status as run_status

pytestmark = pytest.mark.usefixtures("plain_texts")

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGE = MAIN.parents[2] / "pages" / "train.py"

# A run without training: claims its folder, writes one log line, waits, and ends when a stop is requested.
CHILD = """
import pathlib, sys, time
from dataclasses import replace
from cxrbench.training.run import status as run_status
folder = pathlib.Path(sys.argv[1])
with run_status.claim(folder), run_status.stop_signals() as stop_requested:
    status = run_status.own_status("speck", 1)
    run_status.write_status(folder, status)
    (folder / "log.txt").write_text("phase 1 epoch 1/2 step 3/9 loss 0.5, 2 min left\\n")
    until = time.monotonic() + 120
    while not stop_requested() and time.monotonic() < until:
        time.sleep(0.02)
    run_status.write_status(folder, replace(status, state="stopped", message="stopped after step 3"))
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_assets: Path) -> Path:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "speck.toml"
    path.write_text('# A speck.\n#   do this\nname = "speck"\n')
    return path


def finished(root: Path, name: str = "done", state: run_status.State = "done") -> Path:
    folder = root / name
    (folder / "state").mkdir(parents=True)
    epochs = [
        history.Epoch(0, at, 32, 1 / (at + 1), {"Edema": 0.6 + at / 10, "Fracture": None}) for at in range(3)
    ]
    history.write(epochs, folder / "state" / "history.jsonl")
    run_status.write_status(
        folder, run_status.own_status(name, 1, state, "it broke" if state == "failed" else "")
    )
    (folder / "log.txt").write_text("one\ntwo\n")
    return folder


def at_work() -> launcher.Run:
    run = launcher.active()
    assert run is not None
    return run


def until(happens: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.05)
    assert happens()


def test_a_run_is_started_watched_stopped_and_only_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, recipe: Path
) -> None:
    monkeypatch.setattr(
        launcher, "_command", lambda file, folder, count: [sys.executable, "-c", CHILD, str(folder)]
    )
    folder = launcher.begin(recipe, "speck")
    with pytest.raises(InputError, match="speck is being trained on this machine"):
        launcher.begin(recipe, "other")
    until(lambda: "left" in at_work().last)
    run = at_work()
    assert run.name == "speck"
    assert "2 min left" in run.last
    assert run.recipe is not None
    assert run.recipe.read_text() == recipe.read_text()
    launcher.stop(run)
    until(lambda: launcher.active() is None)
    assert launcher.runs()[0].status.state == "stopped"
    launcher._children[folder].wait()
    assert launcher.begin(run.recipe, "speck") == folder
    until(lambda: run_status.alive(folder))
    launcher.stop(at_work())
    launcher._children[folder].wait()


def test_shipped_recipes_are_listed_with_their_description() -> None:
    known = recipes.recipes()
    assert {"smoke", "chexpert_densenet121", "chexpert_liz", "nih_chexnet", "nih_swin"} <= set(known)
    assert "torchrun" in recipes.summary(known["smoke"])


def test_several_processes_are_started_by_torchrun(tmp_path: Path) -> None:
    one, many = (launcher._command(tmp_path / "r.toml", tmp_path, count) for count in (1, 4))
    assert one[1:4] == ["-m", "cxrbench.cli", "train"]
    assert "torch.distributed.run" in many
    assert many[-6:] == one[-6:]


def test_folders_without_a_readable_status_or_history_are_skipped(root: Path) -> None:
    (root / "phantom").mkdir()
    (root / "broken").mkdir()
    (root / "broken" / "status.json").write_text(json.dumps({"state": 3}))
    folder = finished(root)
    (folder / "state" / "history.jsonl").write_text("{half")
    assert [run.name for run in launcher.runs()] == ["done"]
    assert launcher.runs()[0].epochs == ()


def page() -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=120).switch_page(str(PAGE)).run()


def test_without_runs_the_page_says_what_to_do() -> None:
    at = page()
    assert not at.exception
    assert any("Nothing has been trained here yet" in info.value for info in at.info)
    assert at.selectbox(key="recipe").value == "smoke"


def test_the_page_shows_a_finished_run_with_its_curves_and_a_failed_one_with_its_reason(root: Path) -> None:
    finished(root)
    at = page()
    assert not at.exception
    assert any("**done** is finished" in markdown.value for markdown in at.markdown)
    captions = " ".join(caption.value for caption in at.caption)
    assert "Best: 0.800, epoch 3 of 3; its weights are kept" in captions
    assert "Fracture" not in at.selectbox(key="curve_finding").options
    time.sleep(0.01)
    finished(root, "sad", "failed")
    at = page()
    assert not at.exception
    assert any("it broke" in error.value for error in at.error)


def test_a_running_run_can_be_stopped_on_the_page(root: Path, recipe: Path) -> None:
    folder = root / "speck"
    folder.mkdir()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)])
    try:
        until(lambda: launcher.active() is not None)
        at = page()
        assert not at.exception
        assert at.button(key="start").disabled
        assert any("2 min left" in caption.value for caption in at.caption)
        at.button(key="stop_run").click().run()
        until(lambda: child.poll() is not None)
    finally:
        child.kill()
        child.wait()


def test_a_recipe_trained_before_starts_a_new_run_with_its_own_model(
    root: Path, monkeypatch: pytest.MonkeyPatch, recipe: Path
) -> None:
    monkeypatch.setattr(launcher, "_command", lambda *_: [sys.executable, "-c", "pass"])
    finished(root, "speck")
    recipe.write_text('name = "speck"\ntitle = "A speck"\n[data]\nname = "kept"\n')
    assert launcher.new_name("speck") == "speck-2"
    folder = launcher.begin_new(recipe, "speck")
    assert folder == root / "speck-2"
    wanted = 'name = "speck-2"\ntitle = "A speck (2)"\n[data]\nname = "kept"\n'
    assert (folder / "recipe.toml").read_text() == wanted
    launcher._children[folder].wait()
    assert launcher.new_name("speck") == "speck-2"  # that start came to nothing
    assert launcher.new_name("other") == "other"


def test_a_started_run_is_visible_in_other_sessions_before_it_writes_a_status(
    root: Path, monkeypatch: pytest.MonkeyPatch, recipe: Path
) -> None:
    monkeypatch.setattr(
        launcher, "_command", lambda *_: [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    other = page()
    before = launcher.states()
    folder = launcher.begin_new(recipe, "speck")
    try:
        assert launcher.states() != before  # what an open page compares before it reruns
        other.run()
        assert not other.exception
        assert any("**speck** is running" in markdown.value for markdown in other.markdown)
        assert other.button(key="start").disabled
        launcher.stop(at_work())
        until(lambda: launcher.active() is None)
    finally:
        launcher._children[folder].kill()
        launcher._children[folder].wait()
    assert "before training started" in launcher.runs()[0].status.message


def test_a_session_that_shows_another_run_is_offered_the_running_one(root: Path, recipe: Path) -> None:
    finished(root, "old")
    finished(root, "new")
    at = page()
    at.selectbox(key="run_shown").select("old").run()
    folder = root / "speck"
    folder.mkdir()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)])
    try:
        until(lambda: launcher.active() is not None)
        at.run()
        assert at.selectbox(key="run_shown").value == "old"
        at.button(key="watch").click().run()
        assert not at.exception
        assert at.selectbox(key="run_shown").value == "speck"
    finally:
        child.kill()
        child.wait()


def test_the_duration_of_a_recipes_last_run_is_shown(root: Path) -> None:
    folder = finished(root, "smoke")
    status = run_status.read_status(folder)
    assert status is not None
    run_status.write_status(folder, run_status.Status("done", status.pid, "smoke", time.time() - 125))
    at = page()
    assert not at.exception
    assert any("`smoke-2`" in caption.value for caption in at.caption)
    assert any("Its last run took 2 min 5 s on this machine." in caption.value for caption in at.caption)
    assert launcher.duration("other") is None
    assert [view._duration(seconds) for seconds in (4.4, 12_060)] == ["4 s", "3 h 21 min"]


def test_data_roots_below_runs_lie_in_the_folder_of_runs(root: Path) -> None:
    def data_root(folder: str) -> Path:
        return sources.data_root(DataConfig(folder))

    assert data_root("runs/phantom_smoke") == root / "phantom_smoke"
    assert data_root("data/nih") == Path("data/nih")
    assert data_root(str(root / "runs")) == root / "runs"
