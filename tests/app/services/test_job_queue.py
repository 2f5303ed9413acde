import threading
import time
from collections.abc import Callable, Generator

import pytest

from cxrbench.app.services import job_queue
from cxrbench.app.services.job_queue import Queue

Steps = Generator[tuple[str, int]]


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


def test_an_abandoned_job_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "_TIMEOUT", 0.05)
    queue, closed = Queue(1), threading.Event()

    def endless() -> Steps:
        try:
            while True:
                time.sleep(0.01)
                yield "draft", 0
        finally:
            closed.set()

    job = queue.submit("a", endless)
    for _ in range(10):
        queue.keep_alive([job])
        time.sleep(0.02)
    assert not closed.is_set()
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


def test_a_failed_job_is_not_run_again_while_it_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_queue, "_TIMEOUT", 60.0)  # no machine is so busy that watching looks given up
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
    monkeypatch.setattr(job_queue, "_TIMEOUT", 0.05)
    time.sleep(0.3)
    again = queue.submit("bad", broken)
    assert again is not job
    until(lambda: again.done)
    assert len(runs) == 2
