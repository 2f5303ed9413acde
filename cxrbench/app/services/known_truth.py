"""What is known of a phantom's findings: their prior, and their true effect on each model's logit."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

from cxrbench.app.services import map_jobs, model_registry
from cxrbench.app.services.job_queue import Job
from cxrbench.app.services.map_keys import score_key
from cxrbench.app.services.map_snapshot import Snapshot
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import Key
from cxrbench.compare import Prediction
from cxrbench.compare.against_truth import KnownTruth, prior_inside

if TYPE_CHECKING:
    from cxrbench.models import Classifier

__all__ = ["add_known_truth", "location_priors"]


def add_known_truth(
    snapshot: Snapshot, source: Source, findings: Sequence[str]
) -> tuple[Snapshot, KnownTruth]:
    """What is known of the findings in view; effects that are not stored are computed in the queue.

    Args:
        snapshot: of the page.
        source: the radiograph.
        findings: in view.

    Returns:
        The snapshot with the jobs of the missing effects, and what is known so far; nothing of films that
        are no phantoms.
    """
    if source.twins is None:
        return snapshot, KnownTruth()
    present = [finding for finding in findings if finding in source.twins]
    effects: dict[tuple[str, str], float] = {}
    keys: dict[tuple[str, str], Key] = {}
    for model, prediction in snapshot.comparison.predictions.items():
        for finding in present:
            stored = source.effects.get(model, {}).get(finding)
            if stored is not None:
                effects[model, finding] = stored
            elif finding in prediction.labels and (key := _key(source, model, finding)) is not None:
                keys[model, finding] = key
    submitted = (_submitted(source, model, finding, key) for (model, finding), key in keys.items())
    jobs = [job for job in submitted if job is not None]
    # Read before the results, so that `progress` notices results that arrive while the page is drawn.
    state = map_jobs.QUEUE.state(jobs)
    for (model, finding), key in keys.items():
        before, after = snapshot.comparison.predictions[model], map_jobs.RESULTS.prediction(key)
        effects[model, finding] = _effect(before, after, finding)
    return snapshot.with_jobs(jobs, state), replace(location_priors(source, present), effects=effects)


def location_priors(source: Source, findings: Sequence[str]) -> KnownTruth:
    """Of findings with a mask the share of the location prior inside it; nothing on lateral films."""
    masks = source.masks if source.view != "Lateral" else {}
    return KnownTruth({name: prior_inside(name, masks[name]) for name in findings if name in masks})


def _key(source: Source, model: str, finding: str) -> Key | None:
    """Of the scores of the film without a finding; None if the model is not installed or still loading."""
    if not model_registry.ready() or model not in model_registry.loaded().models:
        return None
    key = score_key(source.sha256, model_registry.loaded().models[model])
    return replace(key, method="without", finding=finding)


def _submitted(source: Source, name: str, finding: str, key: Key) -> Job | None:
    """The job that scores the film without a finding; None if that is done."""
    if map_jobs.RESULTS.prediction(key) is not None:
        return None
    model = model_registry.loaded().models[name]
    assert source.twins is not None
    return map_jobs.QUEUE.submit((key,), _work(source.twins, name, model, finding, key))


def _work(
    twins: Mapping[str, Any], name: str, model: "Classifier", finding: str, key: Key
) -> Callable[[], Generator[tuple[Hashable, Any]]]:
    def events() -> Generator[tuple[Hashable, Any]]:
        from cxrbench.compare.run import prediction

        result = prediction(name, model, twins[finding])
        map_jobs.RESULTS.put(key, result)
        yield key, result

    return events


def _effect(with_it: Prediction, without: Prediction | None, finding: str) -> float:
    """The logit of the film minus that of the film without the finding; NaN until that is known."""
    if without is None or finding not in without.labels:
        return nan
    index = without.labels.index(finding)
    return float(with_it.logits[with_it.labels.index(finding)] - without.logits[index])
