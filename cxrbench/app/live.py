"""The maps of a page: those that came with the radiograph, those computed before, and those being computed."""

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cxrbench.app import stock
from cxrbench.app.panels import Cell
from cxrbench.app.results import Key, Results
from cxrbench.app.sources import Source
from cxrbench.app.work import Job, Queue
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["QUEUE", "RESULTS", "View", "gather"]

QUEUE: Final = Queue()
RESULTS: Final = Results()

Where = tuple[str, str]  # (model, method)
Drafts = MutableMapping[Key, HeatMaps | None]


@dataclass(frozen=True)
class View:
    """What can be shown now.

    Args:
        comparison: all that is known so far.
        cells: by (model, method), where its maps come from.
        jobs: what is under way.
        pending: by key, the drafts of what is under way; None before the first.
        stopped: keys of what the reader stopped.
    """

    comparison: Comparison
    cells: Mapping[Where, Cell]
    jobs: tuple[Job, ...] = ()
    pending: Mapping[Key, HeatMaps | None] | None = None
    stopped: tuple[Key, ...] = ()


def gather(source: Source, settings: Settings, stopped: Drafts) -> View:
    """Bring together what is known of these settings, and set to work on what is not.

    Args:
        source: the radiograph.
        settings: what is asked.
        stopped: drafts that the reader stopped, kept as they were; not computed on.
    """
    predictions, heats, cells = _given(source, settings)
    missing = [(m, k) for m in settings.models for k in settings.methods if (m, k) not in heats]
    view = View(
        Comparison(source.image, source.sha256, settings, predictions, heats, source.masks, source.truth),
        cells,
    )
    if not missing:
        return view
    if not source.computes:
        return replace(view, cells=cells | dict.fromkeys(missing, Cell(note="not in this bundle")))
    return _computed(view, source, missing, stopped)


def _given(
    source: Source, settings: Settings
) -> tuple[dict[str, Prediction], dict[Where, HeatMaps], dict[Where, Cell]]:
    if source.given is None:
        return {}, {}, {}
    predictions = {m: p for m, p in source.given.predictions.items() if m in settings.models}
    heats = {
        (model, method): heat
        for (model, method), heat in source.given.heat_maps.items()
        if model in settings.models
        and method in settings.methods
        and (not source.computes or _same(heat, source.given.settings, settings))
    }
    return predictions, heats, dict.fromkeys(heats, Cell(source.origin))


def _same(heat: HeatMaps, had: Settings, asked: Settings) -> bool:
    """Whether maps made with one setting are those of another: each method reads only its own part."""
    if heat.stage is not None:
        return had.stage == asked.stage
    path = (had.baseline, had.steps) == (asked.baseline, asked.steps)
    return path if heat.problem is None else path and had.stage == asked.stage


def _computed(view: View, source: Source, missing: list[Where], stopped: Drafts) -> View:
    """Fill the gaps from the cache, from stopped drafts, and from jobs."""
    models, settings = stock.stock().models, view.comparison.settings
    predictions, heats = dict(view.comparison.predictions), dict(view.comparison.heat_maps)
    cells = dict(view.cells)
    wanted: dict[Key, Where] = {}
    halted: list[Key] = []
    for where in missing:
        if where[0] not in models:
            cells[where] = Cell(note=f"not computed: the model {where[0]} is not installed here")
            continue
        key = _key(source.sha256, models[where[0]], where[1], settings)
        heat = RESULTS.heat_maps(key)
        cells[where] = Cell("computed here")
        if heat is None and key in stopped:
            heat = stopped[key]
            halted.append(key)
            cells[where] = Cell("computed here", f"stopped at {heat.progress if heat else 0:.0%}")
        elif heat is None:
            wanted[key] = where
        if heat is not None:
            heats[where] = heat
        prediction = RESULTS.prediction(replace(key, method="", settings=()))
        if prediction is not None:
            predictions.setdefault(where[0], prediction)
    jobs = tuple(_submit(group, source, settings, models) for group in _groups(wanted))
    pending: dict[Key, HeatMaps | None] = dict.fromkeys(wanted)
    for job in jobs:
        for key, result in tuple(job.results.items()):
            if isinstance(result, Prediction):
                predictions.setdefault(result.model, result)
            elif isinstance(key, Key) and key in wanted:
                pending[key] = heats[wanted[key]] = result
    for key, where in wanted.items():
        if pending[key] is None:
            cells[where] = Cell("computed here", "being computed")
    comparison = replace(view.comparison, predictions=predictions, heat_maps=heats)
    return View(comparison, cells, jobs, pending, tuple(halted))


def _key(image: str, model: "Classifier", method: str, settings: Settings) -> Key:
    from cxrbench.explain import METHODS

    record = METHODS[method]
    read: tuple[str | int, ...] = (
        (settings.stage,) if record.reads_stage else (settings.baseline, settings.steps)
    )
    return Key(image, model.spec.name, model.revision, method, read)


def _groups(wanted: Mapping[Key, Where]) -> Iterator[tuple[Key, ...]]:
    """One job for the methods of a model that share their passes; each of the slow ones alone."""
    from cxrbench.explain import METHODS

    together: dict[tuple[str, str], list[Key]] = {}
    for key in wanted:
        record = METHODS[key.method]
        together.setdefault((key.model, "" if record.family == "cam" else key.method), []).append(key)
    yield from map(tuple, together.values())


def _submit(
    keys: tuple[Key, ...], source: Source, settings: Settings, models: Mapping[str, "Classifier"]
) -> Job:
    model = keys[0].model
    asked = replace(settings, models=(model,), methods=tuple(key.method for key in keys))
    return QUEUE.submit(keys, _work(source, asked, {model: models[model]}, keys))


def _work(
    source: Source, asked: Settings, models: Mapping[str, "Classifier"], keys: tuple[Key, ...]
) -> Callable[[], Generator[tuple[Hashable, Any]]]:
    def events() -> Generator[tuple[Hashable, Any]]:
        from cxrbench.compare.run import compare

        by_method = {key.method: key for key in keys}
        for event in compare(source.image, asked, models=models):
            if isinstance(event, Prediction):
                key = replace(keys[0], method="", settings=())
            else:
                key = by_method[event.method]
            if isinstance(event, Prediction) or event.progress >= 1:
                RESULTS.put(key, event)
            yield key, event

    return events
