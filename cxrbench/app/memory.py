"""What was computed, kept for whoever asks next: by picture, model, method and the settings that matter to it."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from cxrbench.compare import HeatMaps, Prediction, Settings

__all__ = ["CellKey", "Memory", "answers"]

_BYTES: Final = 400 * 2**20


@dataclass(frozen=True)
class CellKey:
    """One model and method on one picture, whose id holds the SHA-256 of its bytes."""

    picture: str
    model: str
    method: str


def answers(heat: HeatMaps, had: Settings, wanted: Settings) -> bool:
    """Whether heat maps made with some settings are what other settings ask for.

    The stage matters to methods that read one, baseline and steps to those that do not.
    """
    if heat.problem is not None:
        return had.stage == wanted.stage
    if heat.stage is not None:
        return had.stage == wanted.stage
    return (had.baseline, had.steps) == (wanted.baseline, wanted.steps)


class Memory:
    """Finished results, the least recently used forgotten first; safe for many threads."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._limit = limit
        self._used = 0
        self._kept: OrderedDict[Hashable, tuple[Prediction | HeatMaps, int]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, picture: str, settings: Settings, event: Prediction | HeatMaps) -> None:
        """Remember a finished result; drafts are not kept."""
        if isinstance(event, HeatMaps) and event.progress < 1:
            return
        key: Hashable
        if isinstance(event, HeatMaps):
            key, size = (
                (CellKey(picture, event.model, event.method), _matters(event, settings)),
                event.maps.nbytes,
            )
        else:
            key, size = (picture, event.model), event.scores.nbytes
        with self._lock:
            self._used += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (event, size)
            while self._used > self._limit and len(self._kept) > 1:
                self._used -= self._kept.popitem(last=False)[1][1]

    def prediction(self, picture: str, model: str) -> Prediction | None:
        """What a model said about a picture, if that is remembered."""
        found = self._find((picture, model))
        return found if isinstance(found, Prediction) else None

    def heat_maps(self, key: CellKey, settings: Settings) -> HeatMaps | None:
        """The maps of a cell under these settings, if they are remembered."""
        for matters in ((settings.stage,), (settings.baseline, settings.steps)):
            found = self._find((key, matters))
            if isinstance(found, HeatMaps):
                return found
        return None

    def _find(self, key: Hashable) -> Prediction | HeatMaps | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]


def _matters(heat: HeatMaps, settings: Settings) -> tuple[object, ...]:
    if heat.stage is not None or heat.problem is not None:
        return (settings.stage,)
    return (settings.baseline, settings.steps)
