"""``cxrbench models``: what can be named after ``--model``; and loading it."""

import argparse
from typing import TYPE_CHECKING

from cxrbench.cli.say import note
from cxrbench.errors import InputError
from cxrbench.models import catalog

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["load", "run"]


def run(options: argparse.Namespace) -> int:
    """One model a line: name, title, findings."""
    for found in catalog.scan():
        if found.spec is None:
            note(found.problem)
            continue
        names = ", ".join(label for label in found.spec.labels if label)
        print(f"{found.spec.name}\t{found.spec.title}\t{names}")
    return 0


def load(source: str | None) -> "Classifier":
    """A model by any of the ways to name it."""
    from cxrbench.models import hub, torchxrayvision  # not above: the list of models needs no torch

    if source is None:
        available = catalog.available()
        if not available:
            raise InputError("No model is available; name one with --model, or put one into assets/models.")
        source = next(iter(available))
    if source.startswith("torchxrayvision/"):
        return torchxrayvision.load(source.removeprefix("torchxrayvision/"))
    repository, _, revision = source.partition("@")
    return hub.load(repository, revision=revision) if revision else hub.load(source)
