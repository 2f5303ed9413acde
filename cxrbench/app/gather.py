"""From what was chosen to what is shown: results that are there, and orders for those that are not."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import streamlit as st

from cxrbench.app.engine import engine
from cxrbench.app.line import Job, Line, Order, sentence
from cxrbench.app.memory import CellKey, Memory, answers
from cxrbench.app.panels import Cell
from cxrbench.app.sources import Source
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings

__all__ = ["Gathered", "gather", "line", "memory"]

Place = tuple[str, str]  # (model, method)


@dataclass
class Gathered:
    """A comparison as far as it is known, and what is still being computed for it."""

    predictions: dict[str, Prediction] = field(default_factory=dict)
    heat_maps: dict[Place, HeatMaps] = field(default_factory=dict)
    cells: dict[Place, Cell] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """Whether more is to come."""
        return any(job.pending for job in self.jobs)

    def comparison(self, source: Source, settings: Settings) -> Comparison:
        """The values that the canvas, bundles and captions read."""
        return replace(
            source.comparison,
            settings=settings,
            predictions=self.predictions,
            heat_maps={
                place: self.heat_maps[place] for place in _places(settings) if place in self.heat_maps
            },
        )


@st.cache_resource(show_spinner=False)
def memory() -> Memory:
    """The results of the whole server."""
    return Memory()


@st.cache_resource(show_spinner=False)
def line() -> Line:
    """The line of the whole server."""
    return Line(
        compute=lambda order: engine().compare(order.image, order.settings),
        keep=lambda order, event: memory().keep(order.picture, order.settings, event),
    )


def gather(source: Source, settings: Settings, *, watcher: str, stopped: set[Order]) -> Gathered:
    """Collect what is known and order the rest.

    Args:
        source: the radiograph.
        settings: what is asked.
        watcher: who asks; orders of his that are no longer asked for lose his interest.
        stopped: orders that he has stopped; what they had found is shown, and they are not ordered again.
    """
    gathered = Gathered()
    missing = [place for place in _places(settings) if not _known(gathered, source, settings, place)]
    orders = list(_orders(source, settings, missing)) if missing else []
    jobs: dict[Order, Job] = st.session_state.setdefault("jobs", {})
    for order in [order for order in jobs if order not in orders]:
        jobs.pop(order).leave(watcher)
    for order in orders:
        if order not in stopped:
            jobs[order] = _asked(jobs.get(order), order, watcher)
        if order in jobs:
            _add(gathered, jobs[order])
    for model in settings.models:
        found = gathered.predictions.get(model) or source.comparison.predictions.get(model)
        found = found or memory().prediction(source.id, model)
        if found is not None:
            gathered.predictions[model] = found
    return gathered


def _asked(job: Job | None, order: Order, watcher: str) -> Job:
    """Keep a job that is under way or has failed; ask for it (again) otherwise."""
    if job is not None and job.state != "stopped":
        job.watch(watcher)
        return job
    return line().ask(order, watcher)


def _places(settings: Settings) -> list[Place]:
    return [(model, method) for model in settings.models for method in settings.methods]


def _known(gathered: Gathered, source: Source, settings: Settings, place: Place) -> bool:
    heat = source.comparison.heat_maps.get(place)
    if heat is not None and answers(heat, source.comparison.settings, settings):
        gathered.heat_maps[place], gathered.cells[place] = heat, Cell(source.origin)
        return True
    heat = memory().heat_maps(CellKey(source.id, *place), settings)
    if heat is None:
        return False
    gathered.heat_maps[place], gathered.cells[place] = heat, Cell(_time(heat))
    return True


def _orders(source: Source, settings: Settings, missing: Iterable[Place]) -> Iterable[Order]:
    """One order a model and family of methods: a family shares its passes, and CAMs need not wait for the rest."""
    families: dict[Place, list[str]] = {}
    methods = engine().methods
    for model, method in missing:
        families.setdefault((model, methods[method].family), []).append(method)
    for (model, _), names in families.items():
        own = replace(settings, models=(model,), methods=tuple(names))
        yield Order(source.id, own, source.comparison.image)


def _add(gathered: Gathered, job: Job) -> None:
    gathered.jobs.append(job)
    (model,) = job.order.settings.models
    if job.prediction is not None:
        gathered.predictions[model] = job.prediction
    for method in job.order.settings.methods:
        place = (model, method)
        heat = job.heat_maps.get(method)
        if heat is not None:
            gathered.heat_maps[place] = heat
        gathered.cells[place] = Cell(_time(heat) if heat is not None else "", _note(job, heat))


def _note(job: Job, heat: HeatMaps | None) -> str:
    """What a cell says while it is not finished."""
    if job.state == "failed" and job.problem is not None:
        return sentence(job.problem)
    if heat is not None and heat.progress >= 1:
        return ""
    if job.state == "waiting":
        ahead = line().ahead(job)
        return f"waiting: {ahead} ahead of you" if ahead else "next in line"
    if job.state == "stopped":
        return "stopped" if heat is None else "stopped before its end"
    return "computing …" if heat is None else "being refined"


def _time(heat: HeatMaps) -> str:
    seconds = heat.seconds
    if seconds != seconds or heat.problem is not None:  # NaN: not timed
        return ""
    took = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{took} for {len(heat.labels)} findings"
