"""The models of this process: loaded once in the background and shared, read-only, by all sessions.

Models of training runs that finish later are added.

The gallery needs no model, so nothing here imports torch before ``start``.
"""

import atexit
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

__all__ = ["LoadedModels", "loaded", "ready", "start"]


@dataclass(frozen=True)
class LoadedModels:
    """The models as of the last scan of their folders.

    Args:
        models: name → model, in eval mode.
        evaluations: name → contents of its evaluation.json; empty if there is none.
        cards: name → model card, in Markdown.
        problems: one message per folder whose model cannot be loaded.
    """

    models: Mapping[str, "Classifier"] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cards: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Name → title on a page."""
        return {name: model.spec.title or name for name, model in self.models.items()}


_lock = threading.Lock()
_scans: list[LoadedModels] = []  # the models of the first scan and of the last
_failed: list[Exception] = []
_done = threading.Event()
_started = False

_SCAN_INTERVAL: Final = 2.0  # seconds
_PATIENCE: Final = 20.0  # seconds to wait at exit for models that are being loaded
_last_scan = float("-inf")
_fingerprints: dict[Path, tuple[object, ...]] = {}  # folder → state of its files


def start() -> None:
    """Start loading in the background, once; returns immediately."""
    global _started
    with _lock:
        if not _started:
            _started = True
            thread = threading.Thread(target=_load_all, name="model_registry", daemon=True)
            thread.start()
            # A thread that is cut off in the middle of C++ code aborts the process as it exits.
            atexit.register(thread.join, _PATIENCE)


def ready() -> bool:
    """Whether ``loaded()`` returns without waiting."""
    return _done.is_set()


def loaded() -> LoadedModels:
    """Return the models; waits until they are loaded.

    Raises:
        RuntimeError: the models could not be loaded.
    """
    start()
    _done.wait()
    if _failed:
        raise RuntimeError("The models could not be loaded.") from _failed[0]
    _rescan()
    return _scans[-1]


def _rescan() -> None:
    """Load models that were added or changed since the last scan, unless that was a moment ago."""
    global _last_scan
    with _lock:
        if time.monotonic() - _last_scan < _SCAN_INTERVAL:
            return
        _last_scan = time.monotonic()
        entries = catalog.scan()
        fingerprints = {entry.folder: _fingerprint(entry) for entry in entries}
        if fingerprints != _fingerprints:
            unchanged = {path for path, value in fingerprints.items() if _fingerprints.get(path) == value}
            _fingerprints.clear()
            _fingerprints.update(fingerprints)
            _scans[1:] = [_load(entries, _scans[-1], unchanged)]


def _load_all() -> None:
    try:
        import torch

        # Many sessions share the cores: one thread per job gives more throughput and a shorter longest wait.
        torch.set_num_threads(1)
        entries = catalog.scan()
        _fingerprints.update({entry.folder: _fingerprint(entry) for entry in entries})
        _scans.append(_load(entries, LoadedModels(), set()))
    except Exception as error:  # raised by `loaded`, in the thread of a session
        _failed.append(error)
    finally:
        _done.set()


def _fingerprint(entry: catalog.CatalogEntry) -> tuple[object, ...]:
    """Values that change when the model in the folder changes."""
    times: list[int] = []
    for name in (*folder.FILES, folder.PREDICTIONS):
        with suppress(OSError):
            times.append((entry.folder / name).stat().st_mtime_ns)
    return entry.problem, *times


def _load(
    entries: Iterable[catalog.CatalogEntry], previous: LoadedModels, unchanged: set[Path]
) -> LoadedModels:
    """Load the models of these folders; models of unchanged folders are taken from the previous scan."""
    from cxrbench.models import hub

    models, evaluations, cards, problems = {}, {}, {}, []
    for entry in entries:
        if entry.spec is None:
            problems.append(entry.problem)
            continue
        name = entry.spec.name
        if entry.folder in unchanged and name in previous.models:
            models[name], evaluations[name] = previous.models[name], previous.evaluations[name]
            cards[name] = previous.cards[name]
            continue
        try:
            models[name], evaluations[name] = hub.load(entry.folder), hub.evaluation(entry.folder)
        except InputError as error:
            problems.append(str(error))
            continue
        card = entry.folder / folder.README
        cards[name] = card.read_text(encoding="utf-8") if card.is_file() else ""
    return LoadedModels(
        MappingProxyType(models), MappingProxyType(evaluations), MappingProxyType(cards), tuple(problems)
    )
