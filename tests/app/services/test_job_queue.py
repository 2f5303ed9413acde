import threading
import time
from collections.abc import Callable, Generator
from types import SimpleNamespace

import pytest

from cxrbench.app.services import job_queue
from cxrbench.app.services.job_queue import Queue

Steps = Generator[tuple[str, int]]


class Clock:
    """The queue's time, which stands still until it is told to go on: no machine is too busy for a test."""

    now = 0.0

    def pass_by(self, timeouts: float) -> None:
        """Let so many times pass after which a job is abandoned."""
        self.now += timeouts * job_queue._TIMEOUT


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(job_queue, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("the condition did not become true within 5 s")


def held(gate: threading.Event) -> Callable[[], Steps]:
    def steps() -> Steps:
        yield "first", 1
        gate.wait(10)
        yield "second", 2

    return steps


def test_results_are_available_as_soon_as_they_are_yielded() -> None:
    queue, gate = Queue(1), threading.Event()
    job = queue.submit("a", held(gate))
    until(lambda: job.results == {"first": 1})
    assert not job.done
    gate.set()
    until(lambda: job.done)
    assert job.results == {"first": 1, "second": 2}
    assert not queue.busy()


def test_jobs_run_first_in_first_out_and_their_position_is_known() -> None:
    queue, gate = Queue(1), threading.Event()
    order: list[str] = []

    def note(name: str) -> Callable[[], Steps]:
        def steps() -> Steps:
            order.append(name)
            yield name, 0

        return steps

    first = queue.submit("a", held(gate))
    until(lambda: bool(first.results))
    later = [queue.submit(name, note(name)) for name in "bcd"]
    assert [queue.ahead(job) for job in (first, *later)] == [0, 1, 2, 3]
    gate.set()
    until(lambda: all(job.done for job in later))
    assert order == ["b", "c", "d"]


def noted(order: list[str], name: str) -> Callable[[], Steps]:
    """A job of two results, which notes when it yields."""

    def steps() -> Steps:
        for part in range(2):
            order.append(f"{name}{part}")
            yield name, part

    return steps


def test_what_is_in_view_runs_before_what_is_not_in_view() -> None:
    queue, gate, order = Queue(1), threading.Event(), list[str]()
    first = queue.submit("first", held(gate))
    until(lambda: bool(first.results))
    later = [queue.submit(name, noted(order, name), in_view=False) for name in "ab"]
    shown = queue.submit("c", noted(order, "c"))
    assert [queue.ahead(job) for job in (*later, shown)] == [2, 3, 1]
    gate.set()
    until(lambda: all(job.done for job in (*later, shown)))
    assert order == ["c0", "c1", "a0", "a1", "b0", "b1"]


def test_a_waiting_job_that_comes_into_view_moves_to_the_front_and_back_when_it_leaves() -> None:
    queue, gate, order = Queue(1), threading.Event(), list[str]()
    first = queue.submit("first", held(gate))
    until(lambda: bool(first.results))
    works = {name: noted(order, name) for name in "abc"}
    jobs = {name: queue.submit(name, work, in_view=False) for name, work in works.items()}
    assert queue.submit("c", works["c"]) is jobs["c"]
    queue.submit("b", works["b"])
    assert [queue.ahead(jobs[name]) for name in "abc"] == [3, 2, 1]
    queue.submit("c", works["c"], in_view=False)  # another finding was selected
    assert [queue.ahead(jobs[name]) for name in "abc"] == [2, 1, 3]
    queue.keep_alive([jobs["c"]], in_view=True)  # another session shows it still
    assert [queue.ahead(jobs[name]) for name in "abc"] == [3, 1, 2]
    gate.set()
    until(lambda: all(job.done for job in jobs.values()))
    assert order == ["b0", "b1", "c0", "c1", "a0", "a1"]


def test_a_job_that_is_not_in_view_is_interrupted_between_two_results_and_continued() -> None:
    queue, gate, order, begun = Queue(1), threading.Event(), list[str](), list[int]()

    def later_steps() -> Steps:
        begun.append(1)
        yield "later", 0
        gate.wait(10)
        order.append("later")
        yield "later", 1
        order.append("continued")
        yield "later", 2

    later = queue.submit("later", later_steps, in_view=False)
    until(lambda: bool(later.results))
    shown = queue.submit("shown", noted(order, "shown"))
    gate.set()
    until(lambda: later.done)
    assert shown.done
    assert order == ["later", "shown0", "shown1", "continued"]
    assert begun == [1]
    assert later.results == {"later": 2}


def test_an_abandoned_job_that_was_interrupted_is_closed(clock: Clock) -> None:
    queue, gate, closed = Queue(1), threading.Event(), threading.Event()

    def later_steps() -> Steps:
        try:
            while True:
                time.sleep(0.01)
                yield "later", 0
        finally:
            closed.set()

    later = queue.submit("later", later_steps, in_view=False)
    until(lambda: bool(later.results))
    shown = queue.submit("shown", held(gate))
    until(lambda: queue.ahead(later) == 1)
    for _ in range(4):
        clock.pass_by(0.5)
        queue.keep_alive([shown])
    gate.set()
    assert closed.wait(5)
    until(lambda: not queue.busy())


def test_at_most_as_many_jobs_as_slots_run_in_parallel() -> None:
    queue, gate = Queue(2), threading.Event()
    jobs = [queue.submit(name, held(gate)) for name in "abcde"]
    until(lambda: sum(bool(job.results) for job in jobs) == 2)
    time.sleep(0.05)
    assert sum(bool(job.results) for job in jobs) == 2
    gate.set()
    until(lambda: all(job.done for job in jobs))


def test_a_job_that_is_submitted_twice_runs_once() -> None:
    queue, gate = Queue(2), threading.Event()
    assert queue.submit("a", held(gate)) is queue.submit("a", held(gate))
    gate.set()


def test_an_abandoned_job_is_closed(clock: Clock) -> None:
    queue, closed = Queue(1), threading.Event()

    def endless() -> Steps:
        try:
            while True:
                time.sleep(0.01)
                yield "draft", 0
        finally:
            closed.set()

    job = queue.submit("a", endless)
    for _ in range(4):
        clock.pass_by(0.5)
        queue.keep_alive([job])
        seen = job.version
        until(lambda: job.version > seen + 1)  # noqa: B023 - called before the loop goes on
    assert not closed.is_set()
    clock.pass_by(1.1)
    assert closed.wait(5)
    until(lambda: not queue.busy())


def test_an_error_is_kept_and_the_next_job_runs() -> None:
    queue = Queue(1)

    def broken() -> Steps:
        raise ValueError("broken")
        yield "never", 0

    bad, gate = queue.submit("bad", broken), threading.Event()
    gate.set()
    good = queue.submit("good", held(gate))
    until(lambda: good.done)
    assert isinstance(bad.error, ValueError)
    assert good.error is None


def test_a_failed_job_is_not_run_again_while_it_is_watched(clock: Clock) -> None:
    queue, runs = Queue(1), []

    def broken() -> Steps:
        runs.append(1)
        raise ValueError("broken")
        yield "never", 0

    job = queue.submit("bad", broken)
    until(lambda: job.done)
    assert not queue.busy()
    for _ in range(5):
        assert queue.submit("bad", broken) is job
    assert len(runs) == 1
    clock.pass_by(1.1)
    again = queue.submit("bad", broken)
    assert again is not job
    until(lambda: again.done)
    assert len(runs) == 2
