"""The user's own models, added in the background."""

from collections.abc import Hashable, Iterable

from cxrbench.app.services.background_tasks import Task, tasks
from cxrbench.models import own

__all__ = ["add", "running", "stop", "task_of"]


def add(what: str) -> bool:
    """Add a model in the background; stopped, it keeps what it has received.

    Args:
        what: as in `cxrbench.models.own.add`.

    Returns:
        Whether it was started: False while the same model is being added.
    """

    def work(task: Task) -> None:
        own.add(what, progress=task.progress)

    # A download needs the network: it does not wait for an inspection of a data set, which takes hours.
    return tasks().start(_key(what), work, waits=False)


def task_of(what: str) -> Task | None:
    """The latest task that adds a model; None if there was none in this process."""
    return tasks().get(_key(what))


def running(models: Iterable[str]) -> tuple[str, ...]:
    """Those of these models that are being added."""
    return tuple(what for what in models if (task := task_of(what)) is not None and not task.ended)


def stop(what: str) -> None:
    """Stop adding a model, and wait until that has stopped."""
    tasks().stop(_key(what))


def _key(what: str) -> Hashable:
    return "add model", what
