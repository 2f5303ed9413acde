"""The models this process holds: loaded once, in the background, then only read, by all sessions.

The gallery needs none of them, so nothing here imports torch before ``start``.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cxrbench.errors import InputError

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["Stock", "ready", "start", "stock"]


@dataclass(frozen=True)
class Stock:
    """What was found when the process started.

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
_found: list[Stock] = []
_failed: list[Exception] = []
_done = threading.Event()
_started = False


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
    return _found[0]


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
