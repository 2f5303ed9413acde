import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import runs
from cxrbench.errors import InputError
from cxrbench.training import history, running

FRAME = Path(runs.__file__).with_name("frame.py")
PAGE = FRAME.parents[2] / "pages" / "train.py"

# What a run does, without what it costs: claims its folder, says a line, waits, and ends when it is asked to.
CHILD = """
import pathlib, sys, time
from dataclasses import replace
from cxrbench.training import running
folder = pathlib.Path(sys.argv[1])
with running.claim(folder), running.stop_signals() as asked:
    status = running.own_status("speck", 1)
    running.write_status(folder, status)
    (folder / "log.txt").write_text("phase 1 epoch 1/2 step 3/9 loss 0.5, 2 min left\\n")
    until = time.monotonic() + 120
    while not asked() and time.monotonic() < until:
        time.sleep(0.02)
    running.write_status(folder, replace(status, state="stopped", message="stopped after step 3"))
"""


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch, small_assets):
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "speck.toml"
    path.write_text('# A speck.\n#   do this\nname = "speck"\n')
    return path


def finished(root, name="done", state="done"):
    folder = root / name
    (folder / "state").mkdir(parents=True)
    epochs = [
        history.Epoch(0, at, 32, 1 / (at + 1), {"Edema": 0.6 + at / 10, "Fracture": None}) for at in range(3)
    ]
    history.write(epochs, folder / "state" / "history.jsonl")
    running.write_status(folder, running.own_status(name, 1, state, "it broke" if state == "failed" else ""))
    (folder / "log.txt").write_text("one\ntwo\n")
    return folder


def until(happens, seconds=60.0):
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.05)
    assert happens()


def test_a_run_is_started_watched_stopped_and_only_one_at_a_time(monkeypatch, recipe):
    monkeypatch.setattr(
        runs, "_command", lambda file, folder, count: [sys.executable, "-c", CHILD, str(folder)]
    )
    folder = runs.begin(recipe, "speck")
    with pytest.raises(InputError, match="speck is being trained on this machine"):
        runs.begin(recipe, "other")
    until(lambda: runs.active() is not None)
    run = runs.active()
    assert run.name == "speck"
    assert "2 min left" in run.last
    assert run.recipe.read_text() == recipe.read_text()
    runs.stop(run)
    until(lambda: runs.active() is None)
    assert runs.runs()[0].status.state == "stopped"
    runs._children[folder].wait()
    assert runs.begin(runs.runs()[0].recipe, "speck") == folder
    until(lambda: runs.active() is not None)
    runs.stop(runs.active())
    runs._children[folder].wait()


def test_the_recipes_that_ship_are_offered_with_what_they_say_of_themselves():
    known = runs.recipes()
    assert {"smoke", "chexpert_densenet121", "chexpert_liz", "nih_chexnet", "nih_swin"} <= set(known)
    assert "torchrun" in runs.summary(known["smoke"])


def test_many_processes_are_started_by_torchrun(tmp_path):
    one, many = (runs._command(tmp_path / "r.toml", tmp_path, count) for count in (1, 4))
    assert one[1:4] == ["-m", "cxrbench.cli", "train"]
    assert "torch.distributed.run" in many
    assert many[-6:] == one[-6:]


def test_what_a_folder_cannot_tell_is_left_out(root):
    (root / "phantom").mkdir()
    (root / "broken").mkdir()
    (root / "broken" / "status.json").write_text(json.dumps({"state": 3}))
    folder = finished(root)
    (folder / "state" / "history.jsonl").write_text("{half")
    assert [run.name for run in runs.runs()] == ["done"]
    assert runs.runs()[0].epochs == ()


def page():
    at = AppTest.from_file(str(FRAME), default_timeout=120).run()
    return at.switch_page(str(PAGE)).run()


def test_the_page_says_what_to_do_where_nothing_was_trained():
    at = page()
    assert not at.exception
    assert any("Nothing has been trained here yet" in info.value for info in at.info)
    assert at.selectbox(key="recipe").value == "smoke"


def test_the_page_shows_a_finished_run_with_its_curves_and_a_failed_one_with_its_reason(root):
    finished(root)
    at = page()
    assert not at.exception
    assert any("**done** is finished" in markdown.value for markdown in at.markdown)
    assert any("Best: 0.800, epoch 3 of 3" in caption.value for caption in at.caption)
    assert "Fracture" not in at.selectbox(key="curve_finding").options
    time.sleep(0.01)
    finished(root, "sad", "failed")
    at = page()
    assert not at.exception
    assert any("it broke" in error.value for error in at.error)


def test_the_page_of_a_run_at_work_offers_to_stop_it(root, recipe):
    folder = root / "speck"
    folder.mkdir()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)])
    try:
        until(lambda: runs.active() is not None)
        at = page()
        assert not at.exception
        assert at.button(key="start").disabled
        assert any("2 min left" in caption.value for caption in at.caption)
        at.button(key="stop_run").click().run()
        until(lambda: child.poll() is not None)
    finally:
        child.kill()
        child.wait()
