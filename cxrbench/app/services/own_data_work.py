"""What is done with the user's data sets in the background: inspections, and evaluations of models."""

from collections.abc import Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cxrbench.app.services.background_tasks import Stopped, Task, tasks
from cxrbench.data import datasets
from cxrbench.data.datasets import OwnDataSet
from cxrbench.models import catalog
from cxrbench.models.folder import PREDICTIONS

__all__ = [
    "evaluate",
    "evaluated_sets",
    "evaluation_key",
    "evaluations",
    "inspect",
    "inspection_key",
    "stop_all",
]

_READ: Final = "images read"


def inspection_key(name: str) -> Hashable:
    """Key of the task that inspects a data set."""
    return "inspect", name


def evaluation_key(name: str) -> Hashable:
    """Key of the task that evaluates models on a data set."""
    return "evaluate", name


def inspect(entry: OwnDataSet) -> None:
    """Read the images of a data set in the background; stopped, it keeps what it has read."""

    def work(task: Task) -> None:
        datasets.check(
            entry,
            progress=lambda done, total: _record(task, done, total),
            should_stop=task.stop.is_set,
        )

    tasks().start(inspection_key(entry.name), work)


def evaluate(entry: OwnDataSet, models: Sequence[str]) -> None:
    """Evaluate models on a data set in the background; stopped, it keeps the scores of the images so far.

    Args:
        entry: the data set.
        models: names in the catalog; one that is gone makes the task fail with a sentence.
    """

    def work(task: Task) -> None:
        # Imported here: pages that show what is stored do without torch.
        from cxrbench.models import hub
        from cxrbench.workflows.evaluate import EvaluationOptions, evaluate_models

        # Copies of their own: an evaluation may move its models to another device.
        loaded = [hub.load(catalog.available().get(name, name)) for name in models]
        options = EvaluationOptions(entry.folder, form=entry.form)
        evaluate_models(loaded, options, entry.evaluation, say=lambda text: None, progress=task.progress)

    tasks().start(evaluation_key(entry.name), work)


def stop_all(name: str) -> None:
    """Stop what is done with a data set, and wait until it has stopped."""
    for key in (inspection_key(name), evaluation_key(name)):
        tasks().stop(key)


def evaluations(entry: OwnDataSet) -> dict[str, Path]:
    """Name of each model that was evaluated on a data set → its predictions."""
    found = sorted(entry.evaluation.glob(f"*/{PREDICTIONS}"))
    return {path.parent.name: path for path in found}


def evaluated_sets() -> dict[str, OwnDataSet]:
    """Name → data set, of those on which a model was evaluated."""
    return {entry.name: entry for entry in datasets.scan() if evaluations(entry)}


def _record(task: Task, done: int, total: int) -> None:
    """Record progress; an inspection asks by itself whether it is to stop, and then returns its report."""
    with suppress(Stopped):
        task.progress(_READ, done, total)
