"""The maps of the Compare page: stored with the radiograph, cached, or being computed."""

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, MutableMapping
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cxrbench.app.services import model_registry
from cxrbench.app.services.job_queue import Job, JobsState, Queue
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import Key, ResultCache
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["QUEUE", "RESULTS", "Cell", "Drafts", "Snapshot", "gather"]

QUEUE: Final = Queue()
RESULTS: Final = ResultCache()

CellKey = tuple[str, str]  # (model, method)
Drafts = MutableMapping[Key, HeatMaps | None]


@dataclass(frozen=True)
class Cell:
    """Origin of a cell's maps, and a note on their state."""

    origin: str = ""
    note: str = ""


@dataclass(frozen=True)
class Snapshot:
    """The results that are available at one moment.

    Args:
        comparison: all results so far.
        cells: (model, method) → origin and state of its maps.
        jobs: running, waiting and failed jobs.
        state: state of the jobs before their results were read.
        failed: the jobs that ended with an error.
        pending: key → latest draft of maps being computed; the draft is None before the first.
        stopped: keys of the maps that the user stopped.
    """

    comparison: Comparison
    cells: Mapping[CellKey, Cell]
    jobs: tuple[Job, ...] = ()
    state: JobsState = ()
    failed: tuple[Job, ...] = ()
    pending: Mapping[Key, HeatMaps | None] | None = None
    stopped: tuple[Key, ...] = ()


def gather(source: Source, settings: Settings, stopped: Drafts) -> Snapshot:
    """Collect the available results for these settings, and submit jobs for the missing ones.

    Args:
        source: the radiograph.
        settings: models, methods and their settings.
        stopped: drafts that the user stopped; they are shown unchanged and not continued.
    """
    predictions, heats, cells = _stored(source, settings)
    missing = [(m, k) for m in settings.models for k in settings.methods if (m, k) not in heats]
    snapshot = Snapshot(
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
        return snapshot
    if not source.computes:
        return replace(snapshot, cells=cells | dict.fromkeys(missing, Cell(note="not in this bundle")))
    return _computed(snapshot, source, missing, stopped)


def _stored(
    source: Source, settings: Settings
) -> tuple[dict[str, Prediction], dict[CellKey, HeatMaps], dict[CellKey, Cell]]:
    if source.precomputed is None:
        return {}, {}, {}
    predictions = {m: p for m, p in source.precomputed.predictions.items() if m in settings.models}
    heats = {
        (model, method): heat
        for (model, method), heat in source.precomputed.heat_maps.items()
        if model in settings.models
        and method in settings.methods
        and (not source.computes or _reusable(heat, source.precomputed.settings, settings))
    }
    return predictions, heats, dict.fromkeys(heats, Cell(source.origin))


def _reusable(heat: HeatMaps, stored: Settings, requested: Settings) -> bool:
    """Whether stored maps are those of the requested settings; a method depends only on its own."""
    if heat.stage is not None:
        return stored.stage == requested.stage
    path = (stored.baseline, stored.steps) == (requested.baseline, requested.steps)
    return path if heat.problem is None else path and stored.stage == requested.stage


def _computed(snapshot: Snapshot, source: Source, missing: list[CellKey], stopped: Drafts) -> Snapshot:
    """Add missing maps from the cache, from stopped drafts, and from jobs."""
    models, settings = model_registry.loaded().models, snapshot.comparison.settings
    predictions, heats = dict(snapshot.comparison.predictions), dict(snapshot.comparison.heat_maps)
    cells = {
        **snapshot.cells,
        **{cell: _not_installed(cell) for cell in missing if cell[0] not in models},
    }
    keys = {_key(source.sha256, models[m], k, settings): (m, k) for m, k in missing if m in models}
    available = {key: RESULTS.heat_maps(key) for key in keys}
    halted = tuple(key for key in keys if available[key] is None and key in stopped)
    available |= {key: stopped[key] for key in halted}
    wanted = {key: cell for key, cell in keys.items() if available[key] is None and key not in halted}
    groups = tuple(_groups(wanted))
    jobs = tuple(_submit(group, source, settings, models) for group in groups)
    # Read before the results, so that `progress` notices results that arrive while the page is drawn.
    state = QUEUE.state(jobs)
    failed = tuple(job for job in jobs if job.error is not None)
    broken = {key for group, job in zip(groups, jobs, strict=True) if job in failed for key in group}
    results = {key: result for job in jobs for key, result in tuple(job.results.items())}
    pending = {key: results.get(key) for key in wanted if key not in broken}
    for key, cell in keys.items():
        heat = available[key] or results.get(key)
        if heat is not None:
            heats[cell] = heat
        cells[cell] = Cell("computed on demand", _note(heat, stopped=key in halted, failed=key in broken))
        score_key = replace(key, method="", settings=())
        prediction = RESULTS.prediction(score_key) or results.get(score_key)
        if prediction is not None:
            predictions.setdefault(cell[0], prediction)
    comparison = replace(snapshot.comparison, predictions=predictions, heat_maps=heats)
    return Snapshot(comparison, cells, jobs, state, failed, pending, halted)


def _not_installed(cell: CellKey) -> Cell:
    return Cell(note=f"not computed: the model {cell[0]} is not installed; About says how to add one")


def _note(heat: HeatMaps | None, *, stopped: bool, failed: bool) -> str:
    if failed:
        return "could not be computed" if heat is None else f"failed at {heat.progress:.0%}"
    if stopped:
        return f"stopped at {heat.progress if heat is not None else 0:.0%}"
    return "being computed" if heat is None else ""


def _key(image: str, model: "Classifier", method: str, settings: Settings) -> Key:
    configured = replace(settings, methods=(method,)).configured()[0]
    # A model that is saved again with the same weights may have other thresholds or preprocessing.
    revision = f"{model.revision} {hash(model.spec):x}"
    return Key(image, model.spec.name, revision, configured.key, astuple(configured.parameters))


def _groups(wanted: Mapping[Key, CellKey]) -> Iterator[tuple[Key, ...]]:
    """Group keys into jobs: methods of a model that share their passes together, every other one alone."""
    from cxrbench.explain import method

    groups: dict[tuple[str, str], list[Key]] = {}
    for key in wanted:
        name = "" if method(key.method).shares_passes else key.method
        groups.setdefault((key.model, name), []).append(key)
    yield from map(tuple, groups.values())


def _submit(
    keys: tuple[Key, ...], source: Source, settings: Settings, models: Mapping[str, "Classifier"]
) -> Job:
    model = keys[0].model
    job_settings = replace(settings, models=(model,), methods=tuple(key.method for key in keys))
    return QUEUE.submit(keys, _work(source, job_settings, {model: models[model]}, keys))


def _work(
    source: Source, settings: Settings, models: Mapping[str, "Classifier"], keys: tuple[Key, ...]
) -> Callable[[], Generator[tuple[Hashable, Any]]]:
    def events() -> Generator[tuple[Hashable, Any]]:
        from cxrbench.compare.run import compare

        by_method = {key.method: key for key in keys}
        score_key = replace(keys[0], method="", settings=())
        for event in compare(source.image, settings, models=models):
            key = score_key if isinstance(event, Prediction) else by_method[event.method]
            if isinstance(event, Prediction) or event.progress >= 1:
                RESULTS.put(key, event)
            yield key, event

    return events
