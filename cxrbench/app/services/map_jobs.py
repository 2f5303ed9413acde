"""The maps of the Compare page: stored with the radiograph, cached, or being computed."""

import atexit
from collections.abc import Callable, Generator, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cxrbench.app.services import model_registry
from cxrbench.app.services.job_queue import Job, Queue
from cxrbench.app.services.map_keys import CellKey, MapKey, map_keys, prediction_key
from cxrbench.app.services.map_snapshot import Cell, FoundMaps, PendingMaps, Snapshot
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import Key, ResultCache
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings, Surroundings

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["QUEUE", "RESULTS", "Cell", "Drafts", "gather"]

QUEUE: Final = Queue()
atexit.register(QUEUE.close)
RESULTS: Final = ResultCache()

Drafts = MutableMapping[Key, HeatMaps | None]
Models = Mapping[str, "Classifier"]
Results = Mapping[Hashable, HeatMaps | Prediction]


@dataclass(frozen=True)
class _Missing:
    """The maps that are not stored with the radiograph.

    Args:
        keys: all of them.
        findings: the findings that are shown.
        cached: key → finished maps.
        stopped: key → latest draft of those that the user stopped.
        jobs: key → the job of every other one.
    """

    keys: Sequence[MapKey]
    findings: Sequence[str]
    cached: Mapping[Key, HeatMaps]
    stopped: Drafts
    jobs: Mapping[Key, Job]

    def jobs_where(self, *, shown: bool) -> tuple[Job, ...]:
        """The jobs of what is shown, or of what is not; each once."""
        keys = [each for each in self.keys if each.shown(self.findings) == shown and each.key in self.jobs]
        return tuple({id(self.jobs[each.key]): self.jobs[each.key] for each in keys}.values())

    def pending(self, *, shown: bool) -> list[MapKey]:
        """What is being computed, or will be."""
        return [
            each
            for each in self.keys
            if each.shown(self.findings) == shown and each.key in self.jobs and not self.jobs[each.key].error
        ]

    def maps(self, key: Key, results: Results) -> HeatMaps | None:
        """Finished maps or the latest draft; None before the first."""
        found = self.cached.get(key) or self.stopped.get(key) or results.get(key)
        assert not isinstance(found, Prediction)
        return found

    def note(self, key: Key, heat: HeatMaps | None) -> str:
        """What is said of the state of some maps."""
        if key in self.jobs and self.jobs[key].error is not None:
            return "could not be computed" if heat is None else f"failed at {heat.progress:.0%}"
        if key in self.stopped:
            return f"stopped at {heat.progress if heat is not None else 0:.0%}"
        return "being computed" if heat is None else ""


def gather(
    source: Source,
    settings: Settings,
    stopped: Drafts,
    findings: Sequence[str] = (),
    *,
    others: bool = True,
) -> Snapshot:
    """Collect the available results for these settings, and submit jobs for the missing ones.

    The findings that are shown are computed first, the fastest methods before the others. The other findings
    follow; one that comes into view while it waits moves to the front.

    Args:
        source: the radiograph.
        settings: models, methods and their settings.
        stopped: drafts that the user stopped; they are shown unchanged and not continued.
        findings: the findings that are shown.
        others: whether the findings that are not shown are computed too.
    """
    predictions, heats = _stored(source, settings)
    stored = {c: heat for c, heat in heats.items() if not source.computes or _covers(heat, findings)}
    missing = [(m, k) for m in settings.models for k in settings.methods if (m, k) not in stored]
    comparison = Comparison(
        image=source.image,
        source=source.sha256,
        settings=settings,
        predictions=predictions,
        heat_maps=heats,
        masks=source.masks,
        truth=source.truth,
        note=source.note,
        view=source.view,
    )
    cells = {
        (*cell, finding): Cell(source.origin)
        for cell, heat in heats.items()
        for finding in findings
        if cell in stored or finding in heat.labels
    }
    snapshot = Snapshot(comparison, dict.fromkeys(findings, comparison), cells)
    if not missing:
        return snapshot
    if not source.computes:
        return snapshot.with_note(missing, "not in this bundle")
    return _computed(snapshot, source, missing, stopped, others=others)


def _covers(heat: HeatMaps, findings: Sequence[str]) -> bool:
    """Whether stored maps are of all these findings, or say why there is none.

    Of methods whose findings cost much one by one, a gallery case stores one finding's map only.
    """
    return heat.problem is not None or set(findings) <= set(heat.labels)


def _stored(source: Source, settings: Settings) -> tuple[dict[str, Prediction], dict[CellKey, HeatMaps]]:
    if source.precomputed is None:
        return {}, {}
    predictions = {m: p for m, p in source.precomputed.predictions.items() if m in settings.models}
    return predictions, {
        (model, method): heat
        for (model, method), heat in source.precomputed.heat_maps.items()
        if model in settings.models
        and method in settings.methods
        and (not source.computes or _reusable(heat, source.precomputed.settings, settings))
    }


def _reusable(heat: HeatMaps, stored: Settings, requested: Settings) -> bool:
    """Whether stored maps are those of the requested settings; a method depends only on its own."""
    if "(" in heat.method:  # it states its own
        return True
    if heat.stage is not None:
        return stored.stage == requested.stage
    path = (stored.baseline, stored.steps) == (requested.baseline, requested.steps)
    return path if heat.problem is None else path and stored.stage == requested.stage


def _computed(
    snapshot: Snapshot, source: Source, cells: list[CellKey], stopped: Drafts, *, others: bool
) -> Snapshot:
    """Add missing maps from the cache, from stopped drafts, and from jobs."""
    models = model_registry.loaded().models
    for cell in cells:
        if cell[0] not in models:
            note = f"not computed: the model {cell[0]} is not installed; About says how to add one"
            snapshot = snapshot.with_note([cell], note)
    installed = [cell for cell in cells if cell[0] in models]
    missing = _missing(snapshot, source, installed, stopped, others=others)
    in_view, later = (missing.jobs_where(shown=shown) for shown in (True, False))
    # Read before the results, so that `progress` notices results that arrive while the page is drawn.
    state = QUEUE.state(in_view)
    results: Results = {key: value for job in in_view + later for key, value in tuple(job.results.items())}
    snapshot = _with_results(snapshot, missing, results)
    scored = snapshot.comparison.predictions
    return replace(
        snapshot,
        jobs=in_view,
        state=state,
        failed=tuple(job for job in in_view + later if job.error is not None),
        pending=tuple(
            _pending(each, missing.maps(each.key, results), missing.jobs[each.key], scored)
            for each in missing.pending(shown=True)
        ),
        later=later,
        later_keys=tuple(each.key for each in missing.pending(shown=False)),
        later_total=sum(not each.shown(missing.findings) for each in missing.keys),
        stopped=tuple(missing.stopped),
    )


def _missing(
    snapshot: Snapshot, source: Source, cells: Sequence[CellKey], stopped: Drafts, *, others: bool
) -> _Missing:
    """Look up which maps are cached or stopped, and submit jobs for the others."""
    models, settings = model_registry.loaded().models, snapshot.comparison.settings
    findings = tuple(snapshot.shown)
    keys = map_keys(source.sha256, cells, settings, models)
    if not others:
        keys = [each for each in keys if each.shown(findings)]
    cached = {each.key: heat for each in keys if (heat := RESULTS.heat_maps(each.key)) is not None}
    halted = {each.key: stopped[each.key] for each in keys if each.key in stopped and each.key not in cached}
    wanted = [each for each in keys if each.key not in cached and each.key not in halted]
    jobs: dict[Key, Job] = {}
    for group in _groups(sorted(wanted, key=lambda each: (not each.shown(findings), each.passes))):
        job = QUEUE.submit(
            tuple(each.key for each in group),
            _work(source, settings, models[group[0].cell[0]], group),
            in_view=group[0].shown(findings),
        )
        jobs |= dict.fromkeys((each.key for each in group), job)
    return _Missing(keys, findings, cached, halted, jobs)


def _with_results(snapshot: Snapshot, missing: _Missing, results: Results) -> Snapshot:
    """Add maps and predictions."""
    heats, computed = snapshot.comparison.heat_maps, {each.cell for each in missing.keys}
    # Where a finding is computed, so are all: a stored map may be coarser.
    maps = FoundMaps({cell: heat for cell, heat in heats.items() if cell not in computed})
    predictions, cells = dict(snapshot.comparison.predictions), dict(snapshot.cells)
    for each in missing.keys:
        heat = missing.maps(each.key, results)
        if heat is not None:
            maps.add(each.cell, each.key.finding, heat)
        cell = Cell("computed on demand", missing.note(each.key, heat))
        for finding in missing.findings:
            if each.key.finding in ("", finding):
                cells[(*each.cell, finding)] = cell
        score_key = prediction_key(each.key)
        prediction = RESULTS.prediction(score_key) or results.get(score_key)
        if isinstance(prediction, Prediction):
            predictions.setdefault(each.cell[0], prediction)
    comparison = replace(snapshot.comparison, predictions=predictions)
    return replace(
        snapshot,
        comparison=replace(comparison, heat_maps=maps.together(missing.findings)),
        shown={finding: replace(comparison, heat_maps=maps.of(finding)) for finding in missing.findings},
        cells=cells,
    )


def _pending(
    each: MapKey, draft: HeatMaps | None, job: Job, predictions: Mapping[str, Prediction]
) -> PendingMaps:
    seconds = float("nan")
    if draft is not None and draft.progress > 0:
        seconds = draft.seconds * (1 - draft.progress) / draft.progress
    elif each.cell[0] in predictions:  # which took about one forward pass
        seconds = each.passes * predictions[each.cell[0]].seconds
    return PendingMaps(each.key, each.title, each.key.finding, draft, QUEUE.ahead(job), seconds)


def _groups(wanted: Sequence[MapKey]) -> list[list[MapKey]]:
    """Group what is missing into jobs: methods of a model that share their passes together, others alone."""
    groups: dict[tuple[str, str, str], list[MapKey]] = {}
    for each in wanted:
        model, method = each.cell
        groups.setdefault((model, "" if each.shares_passes else method, each.key.finding), []).append(each)
    return list(groups.values())


def _work(
    source: Source, settings: Settings, model: "Classifier", group: Sequence[MapKey]
) -> Callable[[], Generator[tuple[Hashable, Any]]]:
    """The computation of a group, which has one model and one finding or all of them."""
    finding, score_key = group[0].key.finding, prediction_key(group[0].key)

    def events() -> Generator[tuple[Hashable, Any]]:
        from cxrbench.compare.run import compare

        # Another job may have computed some of it since the page was drawn.
        cached = {each.key: heat for each in group if (heat := RESULTS.heat_maps(each.key)) is not None}
        yield from cached.items()
        rest = {each.key.method: each for each in group if each.key not in cached}
        if not rest:
            return
        name = group[0].cell[0]
        for event in compare(
            source.image,
            replace(settings, models=(name,), methods=tuple(rest)),
            models={name: model},
            findings=[finding] if finding else None,
            with_predictions=RESULTS.prediction(score_key) is None,
            surroundings=Surroundings(source.twins, source.title),
        ):
            key = score_key if isinstance(event, Prediction) else rest[event.method].key
            if isinstance(event, Prediction) or event.progress >= 1:
                RESULTS.put(key, event)
            yield key, event

    return events
