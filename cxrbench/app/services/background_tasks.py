"""Long work in threads of the server, one at a time, which goes on when the page that started it is left."""

import atexit
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from cxrbench.errors import InputError

__all__ = ["Stopped", "Task", "Tasks", "tasks"]

_PATIENCE: Final = 30.0  # seconds to wait for a task to stop: it ends its present batch of images


class Stopped(Exception):  # noqa: N818 - no error: the user asked for it
    """Raised by `Task.progress` in the work of a task that is to stop."""


@dataclass
class Task:
    """Work that is waiting, running, or has ended.

    Args:
        what: what it does at present, for example "images read".
        done: how much is done.
        total: how much there is in all; 0 while that is unknown.
        started: when the first progress was made, in seconds of `time.monotonic`; 0 before.
        first: how much was done by then: what an earlier task had done.
        error: why it failed, in one sentence; "" if it did not.
        ended: whether it is over: finished, stopped or failed.
        stop: set to stop it.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    started: float = 0.0
    first: int = 0
    error: str = ""
    ended: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, what: str, done: int, total: int) -> None:
        """Record that so much of something is done.

        Raises:
            Stopped: the task is to stop.
        """
        if what != self.what or not self.started:
            self.what, self.started, self.first = what, time.monotonic(), done
        self.done, self.total = done, total
        if self.stop.is_set():
            raise Stopped

    @property
    def seconds_left(self) -> float | None:
        """Seconds until what it does at present is done, at the present rate; None while that is unknown."""
        elapsed = time.monotonic() - self.started
        if not self.started or self.done <= self.first or elapsed < 1:
            return None
        return elapsed / (self.done - self.first) * (self.total - self.done)


class Tasks:
    """The tasks of this process, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # held while one works: several would only wait for disk and cores
        self._by_key: dict[Hashable, tuple[Task, threading.Thread]] = {}

    def start(self, key: Hashable, work: Callable[[Task], object], *, waits: bool = True) -> bool:
        """Do work in the background, unless that of this key is going on already.

        Args:
            key: identifies the work.
            work: reports to its task; raises `InputError` with a sentence for the user if it fails.
            waits: for other work to end first; False for work that needs neither disk nor cores.

        Returns:
            Whether it was started.
        """
        with self._lock:
            known = self._by_key.get(key)
            if known and not known[0].ended:
                return False
            task = Task()
            turn = self._turn if waits else nullcontext()
            thread = threading.Thread(target=self._run, args=(task, work, turn), name=str(key), daemon=True)
            self._by_key[key] = task, thread
            thread.start()
            return True

    def get(self, key: Hashable) -> Task | None:
        """The latest task of a key; None if there was none in this process."""
        with self._lock:
            known = self._by_key.get(key)
        return known[0] if known else None

    def stop(self, key: Hashable) -> None:
        """Stop a task, and wait until it has stopped."""
        with self._lock:
            known = self._by_key.get(key)
        if known:
            known[0].stop.set()
            known[1].join(_PATIENCE)

    def close(self) -> None:
        """Stop all tasks, and wait until they have stopped: before the process exits.

        A thread that is cut off in the middle of C++ code aborts the process as it exits.
        """
        with self._lock:
            known = list(self._by_key.values())
        for task, _ in known:
            task.stop.set()
        for _, thread in known:
            thread.join(_PATIENCE)

    def busy(self) -> bool:
        """Whether a task is waiting or running."""
        with self._lock:
            return any(not task.ended for task, _ in self._by_key.values())

    def _run(self, task: Task, work: Callable[[Task], object], turn: AbstractContextManager[object]) -> None:
        try:
            with turn:
                if not task.stop.is_set():
                    work(task)
        except Stopped:
            pass
        except InputError as error:
            task.error = str(error)
        except Exception as error:  # shown on the page, where the user sees it
            task.error = f"It failed ({type(error).__name__}: {error}); start it again."
        finally:
            task.ended = True


@st.cache_resource
def tasks() -> Tasks:
    """The tasks of this server, for all sessions."""
    made = Tasks()
    atexit.register(made.close)
    return made
