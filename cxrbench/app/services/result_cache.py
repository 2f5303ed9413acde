"""Cache of computed results: process-wide, bounded, keyed by content."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from cxrbench.compare import HeatMaps, Prediction

__all__ = ["Key", "Results"]


@dataclass(frozen=True)
class Key:
    """What a result depends on, and nothing else: settings that a method does not read are left out.

    Args:
        image: SHA-256 of the radiograph.
        model: its name.
        revision: its weights, and what is saved with them: recipe and thresholds.
        method: a key of ``METHODS``; empty for the prediction.
        settings: the values that this method reads: a stage, or a baseline and steps.
    """

    image: str
    model: str
    revision: str
    method: str = ""
    settings: tuple[str | int, ...] = ()


class Results:
    """The last results, up to a size; those unused for longest are forgotten first. Safe between threads.

    Args:
        limit: bytes of arrays.
    """

    def __init__(self, limit: int = 256 * 2**20) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, HeatMaps | Prediction] = OrderedDict()
        self._size = 0

    def heat_maps(self, key: Key) -> HeatMaps | None:
        """Finished maps, if they are still here."""
        found = self._get(key)
        return found if isinstance(found, HeatMaps) else None

    def prediction(self, key: Key) -> Prediction | None:
        """A prediction, if it is still here."""
        found = self._get(key)
        return found if isinstance(found, Prediction) else None

    def held(self) -> tuple[Key, ...]:
        """What is held, longest unused first."""
        with self._lock:
            return tuple(self._held)

    def put(self, key: Key, value: HeatMaps | Prediction) -> None:
        """Keep a result."""
        with self._lock:
            old = self._held.pop(key, None)
            self._size += _size(value) - (_size(old) if old is not None else 0)
            self._held[key] = value
            while self._size > self.limit and len(self._held) > 1:
                _, gone = self._held.popitem(last=False)
                self._size -= _size(gone)

    def _get(self, key: Key) -> HeatMaps | Prediction | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)


def _size(value: HeatMaps | Prediction) -> int:
    return sum(array.nbytes for array in vars(value).values() if isinstance(array, np.ndarray))
