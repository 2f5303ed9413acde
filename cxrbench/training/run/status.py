"""Lock and status of a run's folder, readable by any process."""

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
    "StopRequested",
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
_LOCK_TIMEOUT: Final = 0.5  # seconds
_STATUS: Final = "status.json"


@dataclass(frozen=True)
class Status:
    """Status of a run.

    Args:
        state: ``running``, ``stopped`` (can be resumed), ``failed`` or ``done``.
        pid: of its main process.
        name: of the model.
        started: time when this process started, in seconds since 1970.
        message: why the run stopped or failed.
        processes: number of processes.
    """

    state: State
    pid: int
    name: str
    started: float
    message: str = ""
    processes: int = 1


class StopRequested(InterruptedError):  # noqa: N818 - not an error: the run can be resumed
    """A stop was requested; the state of the run is saved."""


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Lock a folder for this process; the lock is released when the process ends, also if it is killed.

    Raises:
        InputError: another process has locked it: two would overwrite each other's checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        # `alive` holds the lock for an instant; waiting prevents that a reader makes a start fail.
        lock.acquire(timeout=_LOCK_TIMEOUT)
    except Timeout as error:
        raise InputError(
            f"Another process trains in {folder}; wait for it, stop it, or choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def alive(folder: Path) -> bool:
    """Whether a process has locked the folder."""
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
    """Write the status atomically; errors such as a full disk are ignored."""
    with suppress(OSError, InputError):
        write_text(folder / _STATUS, json.dumps(asdict(status)) + "\n")


def read_status(folder: Path) -> Status | None:
    """Read the status of the run in a folder; None if there is none.

    A run whose process was killed while its status is ``running`` counts as stopped.
    """
    try:
        values: dict[str, Any] = json.loads((folder / _STATUS).read_text(encoding="utf8"))
        status = Status(**values)
    except (OSError, ValueError, TypeError):
        return None
    if status.state == "running" and not alive(folder):
        return Status(
            **{**values, "state": "stopped", "message": "The process was killed; start it again to resume."}
        )
    return status


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Context in which SIGTERM and SIGINT only set a flag, so that the current step can finish.

    A second signal ends the process at once. Outside the main thread Python receives no signals, and the flag
    stays False.

    Yields:
        A function that returns whether a signal was received.
    """
    received: list[float] = []
    before: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(time.monotonic())
        signal.signal(number, before[number])

    try:
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            before[number] = signal.signal(number, handle)
    except ValueError:
        before = {}
    try:
        yield lambda: bool(received)
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
        except StopRequested as stopped:
            write_status(folder, replace(status, state="stopped", message=str(stopped)))
            raise
        except BaseException as error:
            write_status(folder, replace(status, state="failed", message=str(error) or repr(error)))
            raise
        write_status(folder, replace(status, state="done"))


def own_status(name: str, processes: int, state: State = "running", message: str = "") -> Status:
    """A status for this process."""
    return Status(state, os.getpid(), name, time.time(), message, processes)
