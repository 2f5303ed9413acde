"""``cxrbench models``: list the models; add offered ones, folders and repositories; remove added ones."""

import argparse
from typing import TYPE_CHECKING, Final

from cxrbench.cli.say import note
from cxrbench.errors import InputError
from cxrbench.models import ModelSpec, catalog, own
from cxrbench.models.folder import read_spec
from cxrbench.models.offered import OFFERED
from cxrbench.terminal import ProgressBar

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["load", "run"]

_SECONDS: Final = 30.0  # between lines of progress where there is no terminal


def run(options: argparse.Namespace) -> int:
    """List the models, or those that are offered; add or remove one."""
    actions = {"add": _add, "offered": _offered, "remove": _remove, None: _list}
    return actions[options.action](options)


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


def _list(options: argparse.Namespace) -> int:
    """One line per model: name, title, findings, learned from, licence, size, source."""
    entries = catalog.scan()
    if not entries:
        note(f"No model was found. {catalog.how_to_add()}")
    for entry in entries:
        if entry.spec is None:
            note(entry.problem)
            continue
        print(_line(entry, entry.spec))
    return 0


def _offered(options: argparse.Namespace) -> int:
    """One line per model that can be added by name: name, title, learned from, licence, size, source."""
    for model in OFFERED.values():
        fields = (model.name, model.title, model.learned_from, model.licence, f"{model.size / 1e6:.0f} MB")
        print("\t".join((*fields, model.source)))
    return 0


def _add(options: argparse.Namespace) -> int:
    with ProgressBar("received", every=_SECONDS, in_bytes=True) as bar:
        folder = own.add(options.what, progress=lambda _, done, total: bar(done, total))
    spec = read_spec(folder)
    print(_line(catalog.CatalogEntry(folder, spec), spec))
    note(f"added in {folder}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    print(f"removed {own.remove(options.name)}")
    return 0


def _line(entry: catalog.CatalogEntry, spec: ModelSpec) -> str:
    findings = ", ".join(label for label in spec.labels if label)
    provenance = (spec.learned_from or "unknown", spec.licence or "unknown", f"{entry.size / 1e6:.1f} MB")
    return "\t".join((spec.name, spec.title, findings, *provenance, spec.source or entry.kind))
