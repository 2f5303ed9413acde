"""The part that computes: torch and the models, loaded once and off the way to the first picture.

Only this room imports torch, and only behind one lock: two threads that import the same large package at the same
time can meet it half-made.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrbench.compare import HeatMaps, Prediction, Settings
from cxrbench.errors import InputError

if TYPE_CHECKING:  # for the types alone; at run time the import is `engine`'s
    from cxrbench.explain import Method
    from cxrbench.models import Classifier
    from cxrbench.models.hub import Found

__all__ = ["Engine", "engine", "ready", "warm"]

_READY = threading.Event()


@dataclass(frozen=True)
class Engine:
    """What can be computed here.

    Args:
        found: name → folder and spec of every model that can be loaded.
        problems: sentences about model folders that cannot.
        methods: the table of methods.
    """

    found: Mapping[str, "Found"]
    problems: tuple[str, ...]
    methods: Mapping[str, "Method"]

    def titles(self) -> dict[str, str]:
        """Name → title of the models."""
        return {name: entry.spec.title or name for name, entry in self.found.items() if entry.spec}

    def labels(self, name: str) -> tuple[str, ...]:
        """The findings of a model, without loading its weights."""
        spec = self.found[name].spec
        return tuple(label for label in spec.labels if label) if spec else ()

    def model(self, name: str) -> "Classifier":
        """A model by its name, loaded once and shared.

        Raises:
            InputError: there is no such model here, or it is damaged.
        """
        if name not in self.found:
            raise InputError(f"There is no model {name[:80]!r} here; choose from: {', '.join(self.found)}.")
        return _model(name)

    def stages(self, name: str) -> list[tuple[str, tuple[int, int]]]:
        """(stage, grid) where a model's maps can be read, last stage first."""
        return _stages(name)

    def compare(self, image: np.ndarray, settings: Settings) -> Iterator[Prediction | HeatMaps]:
        """``cxrbench.compare.run.compare`` with the models it names."""
        from cxrbench.compare.run import compare

        return compare(image, settings, models={name: self.model(name) for name in settings.models})


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The engine; whoever asks first waits for torch, everyone else gets the same."""
    import torch

    from cxrbench.compare import run  # noqa: F401 (imported here, behind the cache's lock)
    from cxrbench.explain import METHODS
    from cxrbench.models import hub

    # One thread a computation and as many computations as cores: best throughput and tail for a class.
    torch.set_num_threads(1)
    entries = hub.scan()
    made = Engine(
        found={entry.spec.name: entry for entry in entries if entry.spec},
        problems=tuple(entry.problem for entry in entries if not entry.spec),
        methods=METHODS,
    )
    _READY.set()
    return made


def ready() -> bool:
    """Whether ``engine`` answers at once."""
    return _READY.is_set()


def warm() -> None:
    """Load torch and the models in the background."""
    from cxrbench.app import compare_page  # noqa: F401 (what the pages import is there before the thread starts)

    threading.Thread(target=_warm, daemon=True, name="warm").start()


def _warm() -> None:
    made = engine()
    for name in made.found:
        made.model(name)


@st.cache_resource(show_spinner=False)
def _model(name: str) -> "Classifier":
    from cxrbench.models import hub

    return hub.load(engine().found[name].folder)


@st.cache_resource(show_spinner=False)
def _stages(name: str) -> list[tuple[str, tuple[int, int]]]:
    import torch

    model = _model(name)
    size = model.spec.preprocessing.size
    with torch.inference_mode():
        blank = torch.zeros(1, 1, size, size)
        grids = [(stage, model.trunk(blank, stage).grid) for stage in model.stages]
    return grids[::-1]
