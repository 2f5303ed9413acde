"""The one list of models: shipped ones, those in CXRBENCH_MODELS, those that runs made.

The command line and the Compare, Performance and About pages all ask here. No weights are opened, and torch
is not imported.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.models import folder as files
from cxrbench.models.spec import ModelSpec

__all__ = ["Found", "available", "scan"]

_TEMPORARY: Final = "."  # how folders begin that are being written


@dataclass(frozen=True)
class Found:
    """A folder that should hold a model: its spec, or the problem with it.

    Args:
        folder: where.
        spec: what it says of itself; None where it cannot be used.
        problem: why not, in one sentence.
        of_run: whether a training run has made it.
    """

    folder: Path
    spec: ModelSpec | None
    problem: str = ""
    of_run: bool = False

    @property
    def predictions(self) -> Path | None:
        """The predictions that were stored beside the weights, if there are any."""
        path = self.folder / files.PREDICTIONS
        return path if path.is_file() else None


def scan() -> list[Found]:
    """Every folder that holds a model or should: shipped ones first, those of runs last; by name within each.

    Of two models of one name the first can be named; the other is a problem that says so.
    """
    found: list[Found] = []
    places: dict[str, Path] = {}
    for entry in _everywhere():
        if entry.spec is None:
            found.append(entry)
            continue
        taken = places.setdefault(entry.spec.name, entry.folder)
        if taken == entry.folder:
            found.append(entry)
            continue
        problem = (
            f"A model named {entry.spec.name} already lies in {taken}; name the one in {entry.folder} by "
            "its folder."
        )
        found.append(Found(entry.folder, None, problem, entry.of_run))
    return found


def available() -> dict[str, Path]:
    """Name → folder of every model that can be loaded by its name."""
    return {entry.spec.name: entry.folder for entry in scan() if entry.spec}


def _everywhere() -> Iterator[Found]:
    roots = [assets.models()]
    if os.environ.get("CXRBENCH_MODELS"):
        roots.append(Path(os.environ["CXRBENCH_MODELS"]))
    seen: set[Path] = set()  # a root may be named twice, or be linked
    for root in roots:
        for folder in _folders(root):
            if folder.resolve() not in seen:
                seen.add(folder.resolve())
                yield _look(folder)
    for run in _folders(assets.runs()):
        folder = run / "model"
        if folder.is_dir() and folder.resolve() not in seen:
            yield _look_at_run(folder)


def _folders(root: Path) -> list[Path]:
    try:
        entries = sorted(root.iterdir())
    except OSError:  # there is none, or it may not be read
        return []
    return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(_TEMPORARY)]


def _look(folder: Path) -> Found:
    try:
        spec = files.read_spec(folder)
    except InputError as error:
        return Found(folder, None, str(error))
    if not (folder / files.WEIGHTS).is_file():
        return Found(folder, None, f"{folder / files.WEIGHTS} is missing; save the model again.")
    return Found(folder, spec)


def _look_at_run(folder: Path) -> Found:
    # Predictions come last, with thresholds and figures: a model without them is still being judged.
    if not (folder / files.PREDICTIONS).is_file():
        problem = (
            f"The model in {folder} was saved but not judged: its run is still at work, or ended before; "
            "let the run go on to its end."
        )
        return Found(folder, None, problem, of_run=True)
    entry = _look(folder)
    return Found(entry.folder, entry.spec, entry.problem, of_run=True)
