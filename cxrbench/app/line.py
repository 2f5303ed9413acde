"""The line in which computations wait: first come, first served, as many at once as there are cores.

Work runs in threads of its own, never in those that draw pages: a page that is left or changed withdraws its interest,
and work that interests nobody ends at its next result. Who asks for what another is having computed joins him.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Literal

import numpy as np

from cxrbench.compare import HeatMaps, Prediction, Settings
from cxrbench.errors import InputError

__all__ = ["Job", "Line", "Order"]

Event = Prediction | HeatMaps
State = Literal["waiting", "running", "done", "stopped", "failed"]

# A page that is open asks every half second, one in a hidden tab less often; after this it is taken for closed.
_PATIENCE: Final = 90.0


@dataclass(frozen=True)
class Order:
    """What is to be computed: one model and methods that share passes, on one picture."""

    picture: str
    settings: Settings
    image: np.ndarray = field(compare=False, repr=False)


class Job:
    """An order on its way, and what is known of it so far."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.state: State = "waiting"
        self.prediction: Prediction | None = None
        self.heat_maps: dict[str, HeatMaps] = {}
        self.problem: Exception | None = None
        self._watchers: dict[str, float] = {}

    def watch(self, watcher: str) -> None:
        """Say that someone waits for this."""
        self._watchers[watcher] = monotonic()

    def leave(self, watcher: str) -> None:
        """Take it back."""
        self._watchers.pop(watcher, None)

    @property
    def wanted(self) -> bool:
        """Whether anyone still waits for this."""
        now = monotonic()
        return any(now - seen < _PATIENCE for seen in tuple(self._watchers.values()))

    @property
    def pending(self) -> bool:
        """Whether more is to come."""
        return self.state in ("waiting", "running")

    def take(self, event: Event) -> None:
        """Add a result; a draft is replaced by the next."""
        if isinstance(event, Prediction):
            self.prediction = event
        else:
            self.heat_maps[event.method] = event


class Line:
    """The line itself; one for the whole server.

    Args:
        compute: order → its results, one by one; closing the iterator stops it.
        keep: told every result, drafts included.
        slots: computations at once; default: the cores.
    """

    def __init__(
        self,
        compute: Callable[[Order], Iterator[Event]],
        keep: Callable[[Order, Event], None],
        *,
        slots: int | None = None,
    ) -> None:
        self._compute, self._keep = compute, keep
        self._pool = ThreadPoolExecutor(slots or os.cpu_count() or 1, thread_name_prefix="line")
        self._jobs: dict[Order, Job] = {}
        self._lock = threading.Lock()

    def ask(self, order: Order, watcher: str) -> Job:
        """The job for an order: the one under way, or a new one at the end of the line."""
        with self._lock:
            job = self._jobs.get(order)
            if job is None or not job.pending:
                job = self._jobs[order] = Job(order)
                job.watch(watcher)
                self._pool.submit(self._run, job)
            job.watch(watcher)
            return job

    def ahead(self, job: Job) -> int:
        """How many orders wait before this one."""
        count = 0
        for other in tuple(self._jobs.values()):
            if other is job:
                return count
            count += other.state == "waiting" and other.wanted
        return 0

    def _run(self, job: Job) -> None:
        try:
            if job.wanted:
                job.state = "running"
                self._work(job)
                job.state = "done" if job.wanted or _finished(job) else "stopped"
            else:
                job.state = "stopped"
        except Exception as error:  # shown on the page that asked; an InputError as a sentence
            job.problem = error
            job.state = "failed"
        finally:
            with self._lock:
                if self._jobs.get(job.order) is job:
                    del self._jobs[job.order]

    def _work(self, job: Job) -> None:
        events = self._compute(job.order)
        try:
            for event in events:
                job.take(event)
                self._keep(job.order, event)
                if not job.wanted:
                    return
        finally:
            # Leave nothing half-way: a generator that is only dropped ends whenever the collector comes by.
            close = getattr(events, "close", lambda: None)
            close()


def _finished(job: Job) -> bool:
    """Whether every method of the order has its last result."""
    methods: Sequence[str] = job.order.settings.methods
    return all(name in job.heat_maps and job.heat_maps[name].progress >= 1 for name in methods)


def sentence(problem: Exception) -> str:
    """What a page says of a failed job; anything but an InputError is a bug and is raised."""
    if isinstance(problem, InputError):
        return str(problem)
    raise problem
