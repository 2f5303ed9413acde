"""One job queue for the process: first come, first served, as many jobs at a time as there are cores."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import closing
from typing import Any, Final

__all__ = ["Job", "JobsState", "Queue"]

JobsState = tuple[tuple[int, int], ...]  # per job: version of its results, and how many jobs are ahead

# Seconds after which a job that nobody asked about is given up. Browsers let the clocks of hidden tabs tick
# once a second, and a busy server is late.
_PATIENCE: Final = 6.0


class Job:
    """A piece of work that several sessions may wait for; asked for twice, it is done once.

    Args:
        key: what it computes.
        work: yields names and results, each as soon as it is known; a later result of the same name replaces
            the former. Closed when nobody wants it any more.
    """

    def __init__(self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]]) -> None:
        self.key = key
        self.work = work
        self.results: dict[Hashable, Any] = {}
        self.version = 0
        self.done = False
        self.error: Exception | None = None
        self.wanted = time.monotonic()

    @property
    def abandoned(self) -> bool:
        """Nobody has wanted it for a while."""
        return time.monotonic() - self.wanted > _PATIENCE


class Queue:
    """Workers and what waits for them.

    Args:
        slots: how many jobs run at a time.
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._jobs: dict[Hashable, Job] = {}
        self._threads = 0

    def submit(self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]]) -> Job:
        """The job of that key, running, waiting, or now put at the end of the queue.

        A job that failed is handed out for as long as somebody watches it, so that its error is shown and it
        does not run in a loop; after that it is tried again.
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
            self.want([self._jobs[key]])
            return self._jobs[key]

    def ahead(self, job: Job) -> int:
        """How many jobs wait before this one; 0 where it is running or done."""
        with self._changed:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def busy(self) -> bool:
        """Whether anything waits or runs."""
        with self._changed:
            return any(not job.done for job in self._jobs.values())

    def state(self, jobs: Sequence[Job]) -> JobsState:
        """What a page shows of jobs: when it differs, draw again."""
        return tuple((job.version, self.ahead(job)) for job in jobs)

    def want(self, jobs: Sequence[Job]) -> None:
        """Say that somebody still waits for these jobs."""
        for job in jobs:
            job.wanted = time.monotonic()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = self._waiting.popleft()
                self._changed.notify_all()
            try:
                self._run(job)
            except Exception as error:  # told to those who watch; the worker goes on to the next
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
