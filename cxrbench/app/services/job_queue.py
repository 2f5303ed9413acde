"""The job queue of the process: what is in view first, then first in, first out; at most one job per core."""

import math
import os
import threading
import time
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import ExitStack
from itertools import count
from typing import Any, Final

__all__ = ["Job", "JobsState", "Queue"]

JobsState = tuple[tuple[int, int], ...]  # per job: version of its results, and how many jobs are ahead

# Seconds after which a job that no session has asked for is abandoned. Timers of hidden browser tabs fire
# once a second, and a busy server is late.
_TIMEOUT: Final = 6.0
_PATIENCE: Final = 20.0  # seconds to wait for jobs to end: each computes until its next result


class Job:
    """A computation that several sessions can share; submitted twice, it runs once.

    Args:
        key: identifies what is computed.
        work: yields names and results as they become available; a later result replaces an earlier one of the
            same name. Closed when no session needs it any more.

    Attributes:
        in_view: whether a session shows what is computed; other jobs wait for these, and interrupt themselves
            between two results while one of them waits.
        turn: position among the jobs that are equally urgent.
    """

    def __init__(self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]]) -> None:
        self.key = key
        self.work = work
        self.results: dict[Hashable, Any] = {}
        self.version = 0
        self.done = False
        self.error: Exception | None = None
        self.last_request = time.monotonic()
        self.in_view = True
        self.turn = 0
        self._steps: Generator[tuple[Hashable, Any]] | None = None

    @property
    def order(self) -> tuple[bool, int]:
        """Sort key of waiting jobs."""
        return not self.in_view, self.turn

    @property
    def steps(self) -> Generator[tuple[Hashable, Any]]:
        """The computation, begun on first use and continued after an interruption."""
        if self._steps is None:
            self._steps = self.work()
        return self._steps

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
        self._waiting: list[Job] = []
        self._turns = count()
        self._jobs: dict[Hashable, Job] = {}
        self._threads = 0
        self._running = 0

    def submit(
        self, key: Hashable, work: Callable[[], Generator[tuple[Hashable, Any]]], *, in_view: bool = True
    ) -> Job:
        """Return the job of this key; a new one is put at the end of the queue.

        A failed job is returned for as long as a session asks for it, so that its error is shown and it does
        not run in a loop; after that it is tried again.

        Args:
            key: identifies what is computed.
            work: as in `Job`.
            in_view: whether the session shows what is computed. A job that was not shown until now moves in
                front of all that are not; one that is no longer shown moves behind those that are.
        """
        with self._changed:
            for job in [job for job in self._jobs.values() if job.done and job.abandoned]:
                del self._jobs[job.key]
            if key not in self._jobs:
                self._jobs[key] = Job(key, work)
                self._line_up(self._jobs[key], in_view=in_view)
                self._waiting.append(self._jobs[key])
                if self._threads < self.slots:
                    self._threads += 1
                    threading.Thread(target=self._serve, name="queue", daemon=True).start()
                self._changed.notify_all()
            elif self._jobs[key].in_view != in_view:
                self._line_up(self._jobs[key], in_view=in_view)
            self.keep_alive([self._jobs[key]])
            return self._jobs[key]

    def ahead(self, job: Job) -> int:
        """Position of a job in the queue, from 1; 0 if it is running or done."""
        with self._changed:
            return sum(other.order <= job.order for other in self._waiting) if job in self._waiting else 0

    def busy(self) -> bool:
        """Whether a job is waiting or running."""
        with self._changed:
            return any(not job.done for job in self._jobs.values())

    def state(self, jobs: Sequence[Job]) -> JobsState:
        """State of jobs, as shown by a page; a page is drawn again when it changes."""
        return tuple((job.version, self.ahead(job)) for job in jobs)

    def keep_alive(self, jobs: Sequence[Job], *, in_view: bool = False) -> None:
        """Record that a session still needs these jobs.

        Args:
            jobs: the jobs.
            in_view: whether the session shows what they compute; if another session, which does not, has
                moved them back, they are moved to the front again.
        """
        for job in jobs:
            job.last_request = time.monotonic()
            if in_view and not job.in_view:
                with self._changed:
                    self._line_up(job, in_view=True)

    def close(self) -> None:
        """Abandon all jobs, and wait until none is running: before the process exits.

        A thread that is cut off in the middle of C++ code aborts the process as it exits.
        """
        with self._changed:
            self._waiting.clear()
            for job in self._jobs.values():
                job.last_request = -math.inf
            self._changed.wait_for(lambda: self._running == 0, _PATIENCE)

    def _line_up(self, job: Job, *, in_view: bool) -> None:
        job.in_view, job.turn = in_view, next(self._turns)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = min(self._waiting, key=lambda job: job.order)
                self._waiting.remove(job)
                self._running += 1
                self._changed.notify_all()
            try:
                ended = self._run(job)
            except Exception as error:  # shown by the sessions that wait; the worker goes on
                job.error, ended = error, True
            if ended:
                self._end(job)
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _run(self, job: Job) -> bool:
        """Compute until the job ends or is interrupted.

        Returns:
            False if it was interrupted and waits again.
        """
        if job.abandoned:
            job.steps.close()
            return True
        with ExitStack() as stack:
            stack.callback(job.steps.close)
            for name, result in job.steps:
                with self._changed:
                    job.results[name] = result
                    job.version += 1
                    self._changed.notify_all()
                    if job.abandoned:
                        return True
                    if not job.in_view and any(other.in_view for other in self._waiting):
                        stack.pop_all()  # not closed: it is continued later
                        self._waiting.append(job)
                        return False
        return True

    def _end(self, job: Job) -> None:
        with self._changed:
            job.done = True
            job.version += 1
            if job.error is None:
                del self._jobs[job.key]
            self._changed.notify_all()
