"""The maps of a page: stored with the radiograph, in the cache, or being computed."""

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cxrbench.app.services import model_registry
from cxrbench.app.services.job_queue import Job, JobsState, Queue
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import Key, Results
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["QUEUE", "RESULTS", "View", "gather"]

QUEUE: Final = Queue()
RESULTS: Final = Results()

Where = tuple[str, str]  # (model, method)
Drafts = MutableMapping[Key, HeatMaps | None]


@dataclass(frozen=True)
class Cell:
    """What the page knows of a cell beyond the comparison: where its maps come from."""

    origin: str = ""
    note: str = ""


@dataclass(frozen=True)
class View:
    """What can be shown now.

    Args:
        comparison: all that is known so far.
        cells: by (model, method), where its maps come from.
        jobs: what is under way, and what failed.
        state: of the jobs, from before their results were read for this view.
        failed: those of the jobs that ended with an error.
        pending: by key, the drafts of what is under way; None before the first.
        stopped: keys of what the reader stopped.
    """

    comparison: Comparison
    cells: Mapping[Where, Cell]
    jobs: tuple[Job, ...] = ()
    state: JobsState = ()
    failed: tuple[Job, ...] = ()
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
        Comparison(
            image=source.image,
            source=source.sha256,
            settings=settings,
            predictions=predictions,
            heat_maps=heats,
            masks=source.masks,
            truth=source.truth,
            note=source.note,
        ),
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
    models, settings = model_registry.stock().models, view.comparison.settings
    predictions, heats = dict(view.comparison.predictions), dict(view.comparison.heat_maps)
    cells = {**view.cells, **{where: _not_here(where) for where in missing if where[0] not in models}}
    keys = {_key(source.sha256, models[m], k, settings): (m, k) for m, k in missing if m in models}
    found = {key: RESULTS.heat_maps(key) for key in keys}
    halted = tuple(key for key in keys if found[key] is None and key in stopped)
    found |= {key: stopped[key] for key in halted}
    wanted = {key: where for key, where in keys.items() if found[key] is None and key not in halted}
    groups = tuple(_groups(wanted))
    jobs = tuple(_submit(group, source, settings, models) for group in groups)
    # Before the results are read: `progress` then notices what comes while the page is drawn.
    state = QUEUE.state(jobs)
    failed = tuple(job for job in jobs if job.error is not None)
    broken = {key for group, job in zip(groups, jobs, strict=True) if job in failed for key in group}
    results = {key: result for job in jobs for key, result in tuple(job.results.items())}
    pending = {key: results.get(key) for key in wanted if key not in broken}
    for key, where in keys.items():
        heat = found[key] or results.get(key)
        if heat is not None:
            heats[where] = heat
        cells[where] = Cell("computed here", _note(heat, stopped=key in halted, failed=key in broken))
        said = replace(key, method="", settings=())
        prediction = RESULTS.prediction(said) or results.get(said)
        if prediction is not None:
            predictions.setdefault(where[0], prediction)
    comparison = replace(view.comparison, predictions=predictions, heat_maps=heats)
    return View(comparison, cells, jobs, state, failed, pending, halted)


def _not_here(where: Where) -> Cell:
    return Cell(note=f"not computed: the model {where[0]} is not installed here; About says how to add one")


def _note(heat: HeatMaps | None, *, stopped: bool, failed: bool) -> str:
    if failed:
        return "could not be computed" if heat is None else f"failed at {heat.progress:.0%}"
    if stopped:
        return f"stopped at {heat.progress if heat is not None else 0:.0%}"
    return "being computed" if heat is None else ""


def _key(image: str, model: "Classifier", method: str, settings: Settings) -> Key:
    from cxrbench.explain import METHODS

    record = METHODS[method]
    read: tuple[str | int, ...] = (
        (settings.stage,) if record.reads_stage else (settings.baseline, settings.steps)
    )
    # A model that is saved again with the same weights may have other thresholds or another recipe.
    revision = f"{model.revision} {hash(model.spec):x}"
    return Key(image, model.spec.name, revision, method, read)


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
        said = replace(keys[0], method="", settings=())
        for event in compare(source.image, asked, models=models):
            key = said if isinstance(event, Prediction) else by_method[event.method]
            if isinstance(event, Prediction) or event.progress >= 1:
                RESULTS.put(key, event)
            yield key, event

    return events
