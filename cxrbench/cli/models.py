"""``cxrbench models``: list the models, and fetch one from the Hugging Face Hub."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cxrbench.cli.say import note
from cxrbench.errors import InputError
from cxrbench.models import ModelSpec, catalog
from cxrbench.models.folder import read_spec

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["load", "run"]


def run(options: argparse.Namespace) -> int:
    """One line per model: name, title, findings; with ``--fetch``, of the model that was fetched."""
    if options.fetch:
        fetched = _fetch(options.fetch)
        print(_line(read_spec(fetched)))
        note(f"fetched into {fetched}")
        return 0
    entries = catalog.scan()
    if not entries:
        note(f"No model was found. {catalog.how_to_add()}")
    for found in entries:
        if found.spec is None:
            note(found.problem)
            continue
        print(_line(found.spec))
    return 0


def load(source: str | None) -> "Classifier":
    """Load a model by name, folder, Hub repository or torchxrayvision weights; None for the first one."""
    from cxrbench.models import hub, torchxrayvision  # imported here: listing models needs no torch

    if source is None:
        available = catalog.available()
        if not available:
            raise InputError(f"No model is available. {catalog.how_to_add()}")
        source = next(iter(available))
    if source.startswith("torchxrayvision/"):
        return torchxrayvision.load(source.removeprefix("torchxrayvision/"))
    repository, _, revision = source.partition("@")
    return hub.load(repository, revision=revision) if revision else hub.load(source)


def _fetch(source: str) -> Path:
    from cxrbench.models import hub  # imported here: listing models needs no torch

    repository, _, revision = source.partition("@")
    return hub.download(repository, revision=revision or None)


def _line(spec: ModelSpec) -> str:
    return f"{spec.name}\t{spec.title}\t{', '.join(label for label in spec.labels if label)}"
