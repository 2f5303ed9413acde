"""Training runs: started as processes of their own, and followed by the files they leave.

A run outlives the page, the session and this server. What is known of it is in its folder (``status.json``,
``log.txt``, ``state/history.jsonl``), so that a run started from a shell is seen as well.
"""

import os
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.training import history
from cxrbench.training.running import Status, alive, read_status
from cxrbench.writing import write_bytes

__all__ = ["Run", "active", "begin", "recipes", "runs", "stop", "summary", "tail"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_CONSOLE: Final = "console.txt"
_RECIPE: Final = "recipe.toml"

_lock = threading.Lock()
_children: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Run:
    """A folder that a recipe was followed in, as its files tell it."""

    folder: Path
    status: Status
    epochs: tuple[history.Epoch, ...]
    last: str

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name

    @property
    def running(self) -> bool:
        """Whether its process is at work."""
        return self.status.state == "running"

    @property
    def recipe(self) -> Path | None:
        """What it was started with, where it was started here."""
        path = self.folder / _RECIPE
        return path if path.is_file() else None


def recipes() -> dict[str, Path]:
    """Name → file of every recipe that ships; empty where the package was installed without them."""
    return {path.stem: path for path in sorted((_ROOT / "train" / "configs").glob("*.toml")) if _trains(path)}


def summary(recipe: Path) -> str:
    """What the recipe says of itself: the comment at its top, without the hashes."""
    lines = []
    for line in recipe.read_text(encoding="utf8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return "\n".join(lines)


def runs() -> list[Run]:
    """Every run there is, the one at work first, then the latest."""
    found = [run for folder in _folders() if (run := _read(folder))]
    return sorted(found, key=lambda run: (not run.running, -run.status.started))


def active() -> Run | None:
    """The run at work on this machine, if there is one."""
    return next((run for run in runs() if run.running), None)


def begin(recipe: Path, name: str, *, processes: int = 1) -> Path:
    """Start a recipe in the background, or go on with its run where it was stopped.

    Args:
        recipe: a TOML file.
        name: of the run's folder.
        processes: that share the work.

    Returns:
        The run's folder.

    Raises:
        InputError: something trains already: two would take each other's cores and both be late.
    """
    with _lock:
        busy = active()
        begun = [folder.name for folder, child in _children.items() if child.poll() is None]
        if busy or begun:
            raise InputError(
                f"{busy.name if busy else begun[0]} is being trained on this machine; stop it, or wait for "
                "its end: two would take each other's cores."
            )
        folder = assets.runs() / name
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / _RECIPE
        if recipe != kept:
            write_bytes(kept, recipe.read_bytes())
        with (folder / _CONSOLE).open("ab") as console:
            _children[folder] = subprocess.Popen(
                _command(kept, folder, processes),
                cwd=_ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **_threads(processes)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # signals to the server, and its end, do not reach it
            )
    return folder


def starting(folder: Path) -> bool:
    """Whether its process was started here and has not yet claimed the folder."""
    child = _children.get(folder)
    return child is not None and child.poll() is None and not alive(folder)


def stop(run: Run) -> None:
    """Ask the run to end after the step it is at; its state is kept."""
    if alive(run.folder):
        os.kill(run.status.pid, signal.SIGTERM)


def tail(run: Run, lines: int = 15) -> str:
    """The last lines it said; where it failed, those of its process's own output."""
    failed = run.status.state == "failed"
    for name in (_CONSOLE, "log.txt") if failed else ("log.txt", _CONSOLE):
        text = _end(run.folder / name)
        if text:
            return "\n".join(text.splitlines()[-lines:])
    return ""


def _command(recipe: Path, folder: Path, processes: int) -> list[str]:
    train = ["-m", "cxrbench.cli", "train", "--config", str(recipe), "--out", str(folder)]
    many = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    return [sys.executable, *(many if processes > 1 else []), *train]


def _threads(processes: int) -> Mapping[str, str]:
    return {"OMP_NUM_THREADS": "1"} if processes > 1 else {}


def _trains(recipe: Path) -> bool:
    """Whether a TOML file is a recipe of a classifier: others may lie beside them."""
    try:
        values: dict[str, Any] = tomllib.loads(recipe.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return False
    return "architecture" in values and "phases" in values


def _folders() -> list[Path]:
    root = assets.runs()
    return [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []


def _read(folder: Path) -> Run | None:
    status = read_status(folder)
    if status is None:
        return None
    try:
        epochs = tuple(history.read(folder / "state" / "history.jsonl"))
    except (ValueError, TypeError):
        epochs = ()
    said = _end(folder / "log.txt").splitlines()
    return Run(folder, status, epochs, said[-1] if said else "")


def _end(path: Path, size: int = 8192) -> str:
    """The end of a text file that may grow for days."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode("utf8", errors="replace")
    except OSError:
        return ""
