import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from filelock import FileLock

from cxrbench.errors import InputError
from cxrbench.training.run import status as run_status

HOLD = """
import sys, time, pathlib
from cxrbench.training.run.status import claim
with claim(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(120)
"""


def test_a_folder_is_locked_by_one_process_and_released_when_it_is_killed(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        assert run_status.alive(tmp_path)
        with pytest.raises(InputError, match="Another process trains in"), run_status.claim(tmp_path):
            pass
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert not run_status.alive(tmp_path)
    with run_status.claim(tmp_path):
        assert run_status.alive(tmp_path)


def test_alive_creates_no_files(tmp_path: Path) -> None:
    assert not run_status.alive(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_reader_that_holds_the_lock_for_an_instant_does_not_prevent_a_start(tmp_path: Path) -> None:
    look = FileLock(tmp_path / "lock", thread_local=False)  # what `alive` holds while it looks
    look.acquire()
    timer = threading.Timer(0.1, look.release)
    timer.start()
    with run_status.claim(tmp_path):
        assert run_status.alive(tmp_path)
    timer.join()


def test_a_status_is_read_back_and_one_of_a_killed_process_counts_as_stopped(tmp_path: Path) -> None:
    assert run_status.read_status(tmp_path) is None
    status = run_status.own_status("speck", 2)
    run_status.write_status(tmp_path, status)
    with run_status.claim(tmp_path):
        assert run_status.read_status(tmp_path) == status
    dead = run_status.read_status(tmp_path)
    assert dead is not None
    assert dead.state == "stopped"
    assert "was killed" in dead.message
    (tmp_path / "status.json").write_text(json.dumps({"state": "running"}))
    assert run_status.read_status(tmp_path) is None


def test_a_signal_sets_a_flag_and_the_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with run_status.stop_signals() as stop_requested:
        assert not stop_requested()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop_requested()
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (None, "done", ""),
        (run_status.StopRequested("stopped after step 3"), "stopped", "stopped after step 3"),
        (ValueError(), "failed", "ValueError()"),
        (InputError("The disk is full."), "failed", "The disk is full."),
    ],
)
def test_a_run_is_recorded_as_running_and_then_as_it_ended(
    error: BaseException | None, state: str, message: str, tmp_path: Path
) -> None:
    expected = pytest.raises(type(error)) if error else nullcontext()
    with expected, run_status.recorded(tmp_path, "speck", 2):
        running = run_status.read_status(tmp_path)
        assert running is not None
        assert (running.state, running.name, running.processes) == ("running", "speck", 2)
        if error:
            raise error
    assert not run_status.alive(tmp_path)
    ended = run_status.read_status(tmp_path)
    assert ended is not None
    assert (ended.state, ended.message, ended.started) == (state, message, running.started)
