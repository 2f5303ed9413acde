"""The models this process holds: loaded once, in the background, then only read, by all sessions.

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

from cxrbench import assets
from cxrbench.errors import InputError

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
_found: list[Stock] = []  # the shipped models; then, with those of runs
_failed: list[Exception] = []
_done = threading.Event()
_started = False

_PAUSE: Final = 2.0  # seconds between two looks at the runs
_looked = float("-inf")
_seen: dict[Path, int] = {}


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
    """Load what training runs have left since the last look, unless that was a moment ago."""
    global _looked
    with _lock:
        if time.monotonic() - _looked < _PAUSE:
            return
        _looked = time.monotonic()
        made = _made()
        if made != _seen:
            _seen.clear()
            _seen.update(made)
            _found[1:] = [_joined(_found[0], made)]


def _made() -> dict[Path, int]:
    """Folder of every model that a run has left → when it was written."""
    found = {}
    for folder in sorted(assets.runs().glob("*/model")):
        with suppress(OSError):
            # Comes last, with thresholds and figures: a model without it is still being judged.
            found[folder] = (folder / "predictions.csv").stat().st_mtime_ns
    return found


def _joined(shipped: Stock, folders: Iterable[Path]) -> Stock:
    """The shipped models, and those of runs that bring a name of their own."""
    from cxrbench.models import folder as files
    from cxrbench.models import hub

    models, evaluations = dict(shipped.models), dict(shipped.evaluations)
    cards, problems = dict(shipped.cards), list(shipped.problems)
    for folder in folders:
        try:
            name = files.read_spec(folder).name
            if name in models:  # the recipe of a shipped model, followed again
                continue
            models[name], evaluations[name] = hub.load(folder), hub.evaluation(folder)
            cards[name] = (folder / files.README).read_text(encoding="utf-8")
        except InputError as error:
            problems.append(str(error))
    return Stock(
        MappingProxyType(models), MappingProxyType(evaluations), MappingProxyType(cards), tuple(problems)
    )


def _fill() -> None:
    try:
        _found.append(_load())
    except Exception as error:  # kept for whoever asks for the models: a thread has no one to tell
        _failed.append(error)
    finally:
        _done.set()


def _load() -> Stock:
    import torch

    from cxrbench.models import hub

    # Many sessions share the cores: one thread each gives more throughput, and a shorter wait for the last.
    torch.set_num_threads(1)
    models, evaluations, cards, problems = {}, {}, {}, []
    for found in hub.scan():
        if found.spec is None:
            problems.append(found.problem)
            continue
        try:
            models[found.spec.name] = hub.load(found.folder)
            evaluations[found.spec.name] = hub.evaluation(found.folder)
        except InputError as error:
            problems.append(str(error))
            continue
        card = found.folder / "README.md"
        cards[found.spec.name] = card.read_text(encoding="utf-8") if card.is_file() else ""
    return Stock(
        MappingProxyType(models), MappingProxyType(evaluations), MappingProxyType(cards), tuple(problems)
    )
