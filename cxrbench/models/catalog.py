"""The one list of models: shipped ones, the user's own, those that runs made.

Used by the command line and by the Compare, Performance and About pages. Reads no weights and does not import
torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.models import folder as files
from cxrbench.models.spec import ModelSpec

__all__ = ["CatalogEntry", "available", "how_to_add", "scan"]

_TEMPORARY: Final = "."  # first character of the names of folders that are being written


@dataclass(frozen=True)
class CatalogEntry:
    """A folder that should hold a model: its spec, or the problem with it.

    Args:
        folder: the model's folder.
        spec: the model's specification; None if the model cannot be used.
        problem: why it cannot be used, in one sentence; "" if it can.
        of_run: whether a training run made it.
    """

    folder: Path
    spec: ModelSpec | None
    problem: str = ""
    of_run: bool = False

    @property
    def kind(self) -> Literal["shipped", "own", "of a run"]:
        """Whose it is: shipped with the installation, the user's own, or a training run's."""
        if self.of_run:
            return "of a run"
        return "shipped" if self.folder.parent.resolve() == assets.models().resolve() else "own"

    @property
    def size(self) -> int:
        """Bytes of its files; 0 if they cannot be read."""
        try:
            return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
        except OSError:
            return 0

    @property
    def predictions(self) -> Path | None:
        """The file of predictions stored with the weights; None if there is none."""
        path = self.folder / files.PREDICTIONS
        return path if path.is_file() else None


def scan() -> list[CatalogEntry]:
    """List every folder that holds or should hold a model: shipped ones, then own ones, then those of runs.

    Within each group they are sorted by folder name. Of two models with the same name only the first can be
    loaded by its name; the entry of the other has a ``problem``.
    """
    entries: list[CatalogEntry] = []
    folders: dict[str, Path] = {}
    for entry in _all_entries():
        if entry.spec is None:
            entries.append(entry)
            continue
        first = folders.setdefault(entry.spec.name, entry.folder)
        if first == entry.folder:
            entries.append(entry)
            continue
        problem = (
            f"A model named {entry.spec.name} already exists in {first}; load the one in {entry.folder} by "
            "its folder."
        )
        entries.append(CatalogEntry(entry.folder, None, problem, entry.of_run))
    return entries


def available() -> dict[str, Path]:
    """Map the name of each model that can be loaded by name to its folder."""
    return {entry.spec.name: entry.folder for entry in scan() if entry.spec}


def how_to_add() -> str:
    """How a model gets into the list, in one sentence for those who miss one."""
    return (
        "Add one with 'cxrbench models add NAME' ('cxrbench models offered' lists names), train one with "
        f"'cxrbench train', or copy the folder of a saved model into {assets.own_models()} "
        "(CXRBENCH_MODELS names another folder)."
    )


def _all_entries() -> Iterator[CatalogEntry]:
    seen: set[Path] = set()  # a root may be listed twice, or be a link
    for root in (assets.models(), assets.own_models()):
        for folder in _folders(root):
            if folder.resolve() not in seen:
                seen.add(folder.resolve())
                yield _read_entry(folder)
    for run in _folders(assets.runs()):
        folder = run / "model"
        if folder.is_dir() and folder.resolve() not in seen:
            yield _read_run_entry(folder)


def _folders(root: Path) -> list[Path]:
    try:
        entries = sorted(root.iterdir())
    except OSError:  # missing or not readable
        return []
    return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(_TEMPORARY)]


def _read_entry(folder: Path) -> CatalogEntry:
    try:
        spec = files.read_spec(folder)
    except InputError as error:
        return CatalogEntry(folder, None, str(error))
    if not (folder / files.WEIGHTS).is_file():
        return CatalogEntry(folder, None, f"{folder / files.WEIGHTS} is missing; save the model again.")
    return CatalogEntry(folder, spec)


def _read_run_entry(folder: Path) -> CatalogEntry:
    # Predictions are written last, with thresholds and metrics: without them the evaluation has not finished.
    if not (folder / files.PREDICTIONS).is_file():
        problem = (
            f"The model in {folder} was saved but not evaluated: its run is still active or was interrupted; "
            "resume the run and let it finish."
        )
        return CatalogEntry(folder, None, problem, of_run=True)
    entry = _read_entry(folder)
    return CatalogEntry(entry.folder, entry.spec, entry.problem, of_run=True)
