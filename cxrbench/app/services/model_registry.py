"""The models of this process: loaded once in the background, then only read, by all sessions.

A training run that ends while the process lives is noticed: its model joins the others.

The gallery needs none of them, so nothing here imports torch before ``start``.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cxrbench.errors import InputError
from cxrbench.models import catalog, folder

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["Stock", "ready", "start", "stock"]


@dataclass(frozen=True)
class Stock:
    """What was found when the process last looked.

    Args:
        models: name → model, in eval mode.
        evaluations: name → what was measured on it; empty where nothing was.
        cards: name → its model card, in Markdown.
        problems: one sentence for every folder that should hold a model and does not.
    """

    models: Mapping[str, "Classifier"] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cards: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Name → how the model is called on a page."""
        return {name: model.spec.title or name for name, model in self.models.items()}


_lock = threading.Lock()
_found: list[Stock] = []  # what was found at the start; then, what was found last
_failed: list[Exception] = []
_done = threading.Event()
_started = False

_PAUSE: Final = 2.0  # seconds between two looks at the folders
_looked = float("-inf")
_seen: dict[Path, tuple[object, ...]] = {}  # folder → how it looked


def start() -> None:
    """Begin to load, once; returns at once."""
    global _started
    with _lock:
        if not _started:
            _started = True
            threading.Thread(target=_fill, name="stock", daemon=True).start()


def ready() -> bool:
    """Whether ``stock()`` would answer without waiting."""
    return _done.is_set()


def stock() -> Stock:
    """The models; waits until they are loaded."""
    start()
    _done.wait()
    if _failed:
        raise RuntimeError("The models could not be loaded.") from _failed[0]
    _look_again()
    return _found[-1]


def _look_again() -> None:
    """Load what has come since the last look, as from a training run, unless that was a moment ago."""
    global _looked
    with _lock:
        if time.monotonic() - _looked < _PAUSE:
            return
        _looked = time.monotonic()
        entries = catalog.scan()
        looks = {entry.folder: _look(entry) for entry in entries}
        if looks != _seen:
            same = {folder for folder, look in looks.items() if _seen.get(folder) == look}
            _seen.clear()
            _seen.update(looks)
            _found[1:] = [_loaded(entries, _found[-1], same)]


def _fill() -> None:
    try:
        import torch

        # Many sessions share the cores: one thread each gives more throughput, and a shorter last wait.
        torch.set_num_threads(1)
        entries = catalog.scan()
        _seen.update({entry.folder: _look(entry) for entry in entries})
        _found.append(_loaded(entries, Stock(), set()))
    except Exception as error:  # kept for whoever asks for the models: a thread has no one to tell
        _failed.append(error)
    finally:
        _done.set()


def _look(entry: catalog.CatalogEntry) -> tuple[object, ...]:
    """What changes when the folder's model does."""
    times: list[int] = []
    for name in (*folder.FILES, folder.PREDICTIONS):
        with suppress(OSError):
            times.append((entry.folder / name).stat().st_mtime_ns)
    return entry.problem, *times


def _loaded(entries: Iterable[catalog.CatalogEntry], before: Stock, same: set[Path]) -> Stock:
    """The models of these folders; those whose folders are the same are kept as they were loaded before."""
    from cxrbench.models import hub

    models, evaluations, cards, problems = {}, {}, {}, []
    for entry in entries:
        if entry.spec is None:
            problems.append(entry.problem)
            continue
        name = entry.spec.name
        if entry.folder in same and name in before.models:
            models[name], evaluations[name] = before.models[name], before.evaluations[name]
            cards[name] = before.cards[name]
            continue
        try:
            models[name], evaluations[name] = hub.load(entry.folder), hub.evaluation(entry.folder)
        except InputError as error:
            problems.append(str(error))
            continue
        card = entry.folder / folder.README
        cards[name] = card.read_text(encoding="utf-8") if card.is_file() else ""
    return Stock(
        MappingProxyType(models), MappingProxyType(evaluations), MappingProxyType(cards), tuple(problems)
    )
