"""Starts training runs as separate processes, and follows them through the files that they write.

A run outlives the page, the session and this server. Its state is in its folder (``status.json``,
``log.txt``, ``state/history.jsonl``), so that a run started from a shell is seen as well.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.training.run import history
from cxrbench.training.run.recipes import renamed
from cxrbench.training.run.status import Status, alive, read_status
from cxrbench.writing import write_text

__all__ = ["Run", "active", "begin", "begin_new", "duration", "new_name", "runs", "states", "stop", "tail"]

_CONSOLE: Final = "console.txt"
_RECIPE: Final = "recipe.toml"

_lock = threading.Lock()
_children: dict[Path, subprocess.Popen[bytes]] = {}
_begun: dict[Path, float] = {}  # when each of them was started, seconds since 1970


@dataclass(frozen=True)
class Run:
    """A training run, as read from the files in its folder."""

    folder: Path
    status: Status
    epochs: tuple[history.Epoch, ...]
    last: str

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def status_written(self) -> float:
        """Time when the status was last written, in seconds since 1970; the end of a finished run."""
        try:
            return (self.folder / "status.json").stat().st_mtime
        except OSError:
            return self.status.started

    @property
    def running(self) -> bool:
        """Whether its process is running."""
        return self.status.state == "running"

    @property
    def recipe(self) -> Path | None:
        """Copy of its recipe, if it was started by this launcher."""
        path = self.folder / _RECIPE
        return path if path.is_file() else None


def runs() -> list[Run]:
    """All runs, the running one first, then by start time, latest first."""
    readable = [run for folder in _folders() if (run := _read(folder))]
    return sorted(readable, key=lambda run: (not run.running, -run.status.started))


def active() -> Run | None:
    """The running run on this machine, if any."""
    return next((run for run in runs() if run.running), None)


def states() -> tuple[tuple[str, str], ...]:
    """Name and state of every run, to detect that one has started or ended."""
    statuses = [(folder.name, _status(folder)) for folder in _folders()]
    return tuple(sorted((name, status.state) for name, status in statuses if status))


def duration(name: str) -> float | None:
    """Duration of the latest finished run of a recipe in seconds; None if there is none."""
    own = re.compile(rf"{re.escape(name)}(-\d+)?")
    done = [run for run in runs() if run.status.state == "done" and own.fullmatch(run.name)]
    return done[0].status_written - done[0].status.started if done else None


def new_name(name: str) -> str:
    """The name, with the first free number appended if a run of that name exists."""
    number, new = 1, name
    while _exists(assets.runs() / new):
        number += 1
        new = f"{name}-{number}"
    return new


def begin_new(recipe: Path, name: str, *, processes: int = 1) -> Path:
    """Start a new run of a recipe, beside earlier ones; the model is named like the run's folder.

    Args:
        recipe: a TOML file.
        name: of the recipe, and of the folder if no run has this name yet.
        processes: number of processes.

    Returns:
        The run's folder.

    Raises:
        InputError: another run is running.
    """
    with _lock:
        new = new_name(name)
        text = recipe.read_text(encoding="utf8")
        number = new.removeprefix(f"{name}-") if new != name else ""
        return _start(new, renamed(text, new, number) if number else text, processes)


def begin(recipe: Path, name: str, *, processes: int = 1) -> Path:
    """Start a run in the background, or resume it if it was stopped.

    Args:
        recipe: a TOML file.
        name: of the run's folder.
        processes: number of processes.

    Returns:
        The run's folder.

    Raises:
        InputError: another run is running: two would compete for the cores.
    """
    with _lock:
        own = recipe == assets.runs() / name / _RECIPE
        return _start(name, None if own else recipe.read_text(encoding="utf8"), processes)


def _start(name: str, recipe: str | None, processes: int) -> Path:
    """Start the process of a run, with the text of a recipe, or None for the one in its folder."""
    busy = active()
    begun = [folder.name for folder, child in _children.items() if child.poll() is None]
    if busy or begun:
        raise InputError(
            f"{busy.name if busy else begun[0]} is being trained on this machine; stop it, or wait "
            "until it is done: two runs would compete for the cores."
        )
    folder = assets.runs() / name
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / _RECIPE
    if recipe is not None:
        write_text(kept, recipe)
    with (folder / _CONSOLE).open("ab") as console:
        _children[folder] = subprocess.Popen(
            _command(kept, folder, processes),
            cwd=assets.workspace(),
            env={**os.environ, "PYTHONUNBUFFERED": "1"} | ({"OMP_NUM_THREADS": "1"} if processes > 1 else {}),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that signals to the server and its end do not stop the run
        )
    _begun[folder] = time.time()
    return folder


def starting(folder: Path) -> bool:
    """Whether the process of a run was started here and has not yet claimed the folder."""
    child = _children.get(folder)
    return child is not None and child.poll() is None and not alive(folder)


def stop(run: Run) -> None:
    """Request the run to stop after the current step; its state is saved."""
    if starting(run.folder):
        _children[run.folder].terminate()
    elif alive(run.folder):
        os.kill(run.status.pid, signal.SIGTERM)


def tail(run: Run, lines: int = 15) -> str:
    """Last lines of the log; of a failed run, of its console output."""
    failed = run.status.state == "failed"
    for name in (_CONSOLE, "log.txt") if failed else ("log.txt", _CONSOLE):
        text = _end(run.folder / name)
        if text:
            return "\n".join(text.splitlines()[-lines:])
    return ""


def _command(recipe: Path, folder: Path, processes: int) -> list[str]:
    train = ["-m", "cxrbench.cli", "train", "--config", str(recipe), "--out", str(folder)]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    return [sys.executable, *(torchrun if processes > 1 else []), *train]


def _folders() -> list[Path]:
    root = assets.runs()
    return [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []


def _exists(folder: Path) -> bool:
    """Whether a folder holds a run: more than the files of a failed start."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return bool(present - {_RECIPE, _CONSOLE, "lock"}) or starting(folder)


def _status(folder: Path) -> Status | None:
    """Status of a run; one started here counts as running before its process writes a status."""
    status, child = read_status(folder), _children.get(folder)
    if child is None or (status is not None and status.started >= _begun[folder]):
        return status
    if child.poll() is None:
        return Status("running", child.pid, folder.name, _begun[folder])
    if child.poll():
        return Status(
            "failed", child.pid, folder.name, _begun[folder], "The process ended before training started."
        )
    return status


def _read(folder: Path) -> Run | None:
    status = _status(folder)
    if status is None:
        return None
    try:
        epochs = tuple(history.read(folder / "state" / "history.jsonl"))
    except (ValueError, TypeError):
        epochs = ()
    log = _end(folder / "log.txt").splitlines()
    last = "The process is starting and loading PyTorch." if starting(folder) else log[-1] if log else ""
    return Run(folder, status, epochs, last)


def _end(path: Path, size: int = 8192) -> str:
    """Read the end of a text file that may be large."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode("utf8", errors="replace")
    except OSError:
        return ""
