"""Cache of computed results: process-wide, bounded, keyed by content."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from cxrbench.compare import HeatMaps, Prediction

__all__ = ["Key", "ResultCache"]


@dataclass(frozen=True)
class Key:
    """What a result depends on; without settings that the method does not use.

    Args:
        image: SHA-256 of the radiograph.
        model: name of the model.
        revision: identifies its weights, preprocessing and thresholds.
        method: key of ``METHODS``; empty for the prediction.
        settings: the values of the method's parameters.
        finding: name of the finding where maps are computed one by one; else empty.
    """

    image: str
    model: str
    revision: str
    method: str = ""
    settings: tuple[str | int | float, ...] = ()
    finding: str = ""


class ResultCache:
    """A thread-safe LRU cache, bounded by size.

    Args:
        limit: maximum size of the arrays in bytes.
    """

    def __init__(self, limit: int = 256 * 2**20) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, HeatMaps | Prediction] = OrderedDict()
        self._size = 0

    def heat_maps(self, key: Key) -> HeatMaps | None:
        """Return finished maps; None if they are not cached."""
        value = self._get(key)
        return value if isinstance(value, HeatMaps) else None

    def prediction(self, key: Key) -> Prediction | None:
        """Return a prediction; None if it is not cached."""
        value = self._get(key)
        return value if isinstance(value, Prediction) else None

    def cached_keys(self) -> tuple[Key, ...]:
        """Return the keys of the cached results, least recently used first."""
        with self._lock:
            return tuple(self._entries)

    def put(self, key: Key, value: HeatMaps | Prediction) -> None:
        """Add a result; the least recently used ones are removed if there is no space."""
        with self._lock:
            old = self._entries.pop(key, None)
            self._size += _size(value) - (_size(old) if old is not None else 0)
            self._entries[key] = value
            while self._size > self.limit and len(self._entries) > 1:
                _, removed = self._entries.popitem(last=False)
                self._size -= _size(removed)

    def _get(self, key: Key) -> HeatMaps | Prediction | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)


def _size(value: HeatMaps | Prediction) -> int:
    return sum(array.nbytes for array in vars(value).values() if isinstance(array, np.ndarray))
