"""Inspections of the user's data sets in the background: one at a time, for all sessions of the server."""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from cxrbench.data import datasets
from cxrbench.data.datasets import OwnDataSet
from cxrbench.errors import InputError

__all__ = ["Inspection", "Inspections", "inspections"]

_PATIENCE: Final = 30.0  # seconds to wait for an inspection to stop: it reads one batch of images to its end


@dataclass
class Inspection:
    """An inspection that is waiting, running, or has ended.

    Args:
        done: images inspected so far, also by earlier inspections.
        total: images in all; 0 until the tables have been read.
        started: when it began to read images, in seconds of `time.monotonic`; 0 while it waits.
        error: why it failed, in one sentence; "" if it did not.
        ended: whether it is over: finished, stopped or failed.
        stop: set to stop it after the present batch.
    """

    done: int = 0
    total: int = 0
    started: float = 0.0
    error: str = ""
    ended: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int) -> None:
        """Record that so many images are done."""
        self.started = self.started or time.monotonic()
        self.done, self.total = done, total

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it is done at the present rate; None while that is unknown."""
        elapsed = time.monotonic() - self.started
        if not self.started or not self.done or elapsed < 1:
            return None
        return elapsed / self.done * (self.total - self.done)


class Inspections:
    """The inspections of this process, by the name of the data set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # held while one reads: several at once would only wait for the disk
        self._by_name: dict[str, tuple[Inspection, threading.Thread]] = {}

    def start(self, entry: OwnDataSet) -> None:
        """Inspect a data set in the background, unless that is going on already."""
        with self._lock:
            known = self._by_name.get(entry.name)
            if known and not known[0].ended:
                return
            inspection = Inspection()
            thread = threading.Thread(
                target=self._run, args=(entry, inspection), name=f"inspect {entry.name}", daemon=True
            )
            self._by_name[entry.name] = inspection, thread
            thread.start()

    def get(self, name: str) -> Inspection | None:
        """The latest inspection of a data set; None if there was none in this process."""
        with self._lock:
            known = self._by_name.get(name)
        return known[0] if known else None

    def stop(self, name: str) -> None:
        """Stop the inspection of a data set after its present batch, and wait until it has stopped."""
        with self._lock:
            known = self._by_name.get(name)
        if known:
            known[0].stop.set()
            known[1].join(_PATIENCE)

    def busy(self) -> bool:
        """Whether an inspection is waiting or running."""
        with self._lock:
            return any(not inspection.ended for inspection, _ in self._by_name.values())

    def _run(self, entry: OwnDataSet, inspection: Inspection) -> None:
        try:
            with self._turn:
                if not inspection.stop.is_set():
                    datasets.check(entry, progress=inspection.progress, should_stop=inspection.stop.is_set)
        except InputError as error:
            inspection.error = str(error)
        except Exception as error:  # shown on the page, where the user sees it
            inspection.error = f"The inspection failed ({type(error).__name__}: {error}); start it again."
        finally:
            inspection.ended = True


@st.cache_resource
def inspections() -> Inspections:
    """The inspections of this server, for all sessions."""
    return Inspections()
