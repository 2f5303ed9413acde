"""The job queue of the process: first in, first out, with as many parallel jobs as there are cores."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import closing
from typing import Any, Final

__all__ = ["Job", "JobsState", "Queue"]

JobsState = tuple[tuple[int, int], ...]  # per job: version of its results, and how many jobs are ahead

# Seconds after which a job that no session has asked for is abandoned. Timers of hidden browser tabs fire
# once a second, and a busy server is late.
_TIMEOUT: Final = 6.0


class Job:
    """A computation that several sessions can share; submitted twice, it runs once.

    Args:
        key: identifies what is computed.
        work: yields names and results as they become available; a later result replaces an earlier one of the
            same name. Closed when no session needs it any more.
    """

    def __init__(self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]]) -> None:
        self.key = key
        self.work = work
        self.results: dict[Hashable, Any] = {}
        self.version = 0
        self.done = False
        self.error: Exception | None = None
        self.last_request = time.monotonic()

    @property
    def abandoned(self) -> bool:
        """Whether no session has asked for it recently."""
        return time.monotonic() - self.last_request > _TIMEOUT


class Queue:
    """Worker threads and waiting jobs.

    Args:
        slots: maximum number of parallel jobs; default: the number of cores.
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._jobs: dict[Hashable, Job] = {}
        self._threads = 0

    def submit(self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]]) -> Job:
        """Return the job of this key; a new one is put at the end of the queue.

        A failed job is returned for as long as a session asks for it, so that its error is shown and it does
        not run in a loop; after that it is tried again.
        """
        with self._changed:
            for job in [job for job in self._jobs.values() if job.done and job.abandoned]:
                del self._jobs[job.key]
            if key not in self._jobs:
                self._jobs[key] = Job(key, work)
                self._waiting.append(self._jobs[key])
                if self._threads < self.slots:
                    self._threads += 1
                    threading.Thread(target=self._serve, name="queue", daemon=True).start()
                self._changed.notify_all()
            self.keep_alive([self._jobs[key]])
            return self._jobs[key]

    def ahead(self, job: Job) -> int:
        """Position of a job in the queue, from 1; 0 if it is running or done."""
        with self._changed:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def busy(self) -> bool:
        """Whether a job is waiting or running."""
        with self._changed:
            return any(not job.done for job in self._jobs.values())

    def state(self, jobs: Sequence[Job]) -> JobsState:
        """State of jobs, as shown by a page; a page is drawn again when it changes."""
        return tuple((job.version, self.ahead(job)) for job in jobs)

    def keep_alive(self, jobs: Sequence[Job]) -> None:
        """Record that a session still needs these jobs."""
        for job in jobs:
            job.last_request = time.monotonic()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = self._waiting.popleft()
                self._changed.notify_all()
            try:
                self._run(job)
            except Exception as error:  # shown by the sessions that wait; the worker goes on
                job.error = error
            finally:
                self._end(job)

    def _run(self, job: Job) -> None:
        if job.abandoned:
            return
        with closing(job.work()) as results:
            for name, result in results:
                with self._changed:
                    job.results[name] = result
                    job.version += 1
                    self._changed.notify_all()
                if job.abandoned:
                    return

    def _end(self, job: Job) -> None:
        with self._changed:
            job.done = True
            job.version += 1
            if job.error is None:
                del self._jobs[job.key]
            self._changed.notify_all()
