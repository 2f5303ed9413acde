"""The state of a run's folder: lock, progress and outcome, readable by any process."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal

from filelock import FileLock, Timeout

from cxrbench.errors import InputError
from cxrbench.writing import write_text

__all__ = [
    "Status",
    "StopAsked",
    "alive",
    "claim",
    "own_status",
    "read_status",
    "recorded",
    "stop_signals",
    "write_status",
]

State = Literal["running", "stopped", "failed", "done"]

_LOCK: Final = "lock"
_PATIENCE: Final = 0.5  # seconds
_STATUS: Final = "status.json"


@dataclass(frozen=True)
class Status:
    """How a run stands.

    Args:
        state: ``running``, ``stopped`` (asked to, goes on when started again), ``failed`` or ``done``.
        pid: of its main process.
        name: of the model.
        started: seconds since 1970 when this process began.
        message: the last line it said; the reason where it failed.
        processes: that share the work.
    """

    state: State
    pid: int
    name: str
    started: float
    message: str = ""
    processes: int = 1


class StopAsked(InterruptedError):  # noqa: N818 - not an error: the run was asked to stop, and can go on
    """The run was asked to stop, and has kept its state."""


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Keep a folder for this process; the system lets go of it when the process ends, however it ends.

    Raises:
        InputError: another process works on it: two would overwrite each other's checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        # `alive` holds the lock for an instant while it looks: waiting keeps a viewer from stopping a start.
        lock.acquire(timeout=_PATIENCE)
    except Timeout as error:
        raise InputError(
            f"Another process trains in {folder}; wait for it, stop it, or choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def alive(folder: Path) -> bool:
    """Whether a process has claimed the folder at this moment."""
    if not (folder / _LOCK).is_file():
        return False
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def write_status(folder: Path, status: Status) -> None:
    """Replace the file as a whole; a full disk costs the note, not the run."""
    with suppress(OSError, InputError):
        write_text(folder / _STATUS, json.dumps(asdict(status)) + "\n")


def read_status(folder: Path) -> Status | None:
    """How the run in a folder stands; None where none has ever begun.

    One that says it runs but has no process any more was killed: it counts as stopped.
    """
    try:
        values: dict[str, Any] = json.loads((folder / _STATUS).read_text(encoding="utf8"))
        status = Status(**values)
    except (OSError, ValueError, TypeError):
        return None
    if status.state == "running" and not alive(folder):
        return Status(**{**values, "state": "stopped", "message": "It ended without a word; start it again."})
    return status


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Within it, SIGTERM and SIGINT only raise a flag: the step under way is finished and the state kept.

    A second one ends the process at once. Outside the main thread, where Python takes no signals, the flag
    stays down.

    Yields:
        Whether a signal has come.
    """
    asked: list[float] = []
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        signal.signal(number, before[number])

    try:
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            before[number] = signal.signal(number, note)
    except ValueError:
        before = {}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def recorded(folder: Path, name: str, processes: int) -> Iterator[None]:
    """Claim the folder of a run, and write into it that the run goes on and, at the end, how it ended.

    Args:
        folder: of the run.
        name: of the model.
        processes: that share the work.

    Raises:
        InputError: as ``claim``.
    """
    with claim(folder):
        status = own_status(name, processes)
        write_status(folder, status)
        try:
            yield
        except StopAsked as stopped:
            write_status(folder, replace(status, state="stopped", message=str(stopped)))
            raise
        except BaseException as error:
            write_status(folder, replace(status, state="failed", message=str(error) or repr(error)))
            raise
        write_status(folder, replace(status, state="done"))


def own_status(name: str, processes: int, state: State = "running", message: str = "") -> Status:
    """A status of this process."""
    return Status(state, os.getpid(), name, time.time(), message, processes)
