"""One radiograph through several models and methods; yields each result as soon as it is known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import perf_counter

import numpy as np
from torch import Tensor

from cxrbench.compare.comparison import Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.surroundings import Surroundings
from cxrbench.errors import InputError
from cxrbench.explain import (
    METHODS,
    ConfiguredMethod,
    Context,
    Explanation,
    Method,
    explain,
    identical_by_construction,
)
from cxrbench.explain.gradient import check_path
from cxrbench.inference import predict
from cxrbench.labels import canonical
from cxrbench.models import Classifier
from cxrbench.preprocess import Box

__all__ = ["Event", "collect", "compare", "finding_names", "prediction"]

Event = Prediction | HeatMaps


def compare(
    image: np.ndarray,
    settings: Settings,
    *,
    models: Mapping[str, Classifier],
    findings: Sequence[str] | None = None,
    with_predictions: bool = True,
    surroundings: Surroundings | None = None,
) -> Iterator[Event]:
    """Predict and explain the findings of each model, model by model.

    For each model yields its prediction, then heat maps per method, in the order of the settings. Integrated
    gradients yields drafts (``progress`` below 1), each of which replaces the one before. Closing the
    iterator stops the computation. Models are only read, so threads may share them.

    Args:
        image: (H, W) grey, float in [0, 1].
        settings: models, methods and their parameters.
        models: name → model in eval mode, for each name in the settings.
        findings: the findings whose maps are computed; default: all. A model without any of them has no maps.
        with_predictions: whether predictions are yielded; they always state all findings.
        surroundings: what is known of the film besides its pixels, for methods that need it.

    Returns:
        Predictions and heat maps. A method that does not apply to a model yields heat maps without maps,
        which state the ``problem``.

    Raises:
        InputError: no model or method, or an invalid setting; raised before any computation.
    """
    if not settings.models or not settings.methods:
        raise InputError("A comparison needs at least one model and one method; add them to the settings.")
    for model in settings.models:
        if model not in models:
            raise InputError(
                f"Model {model!r} is not loaded; those loaded are: {', '.join(models) or 'none'}."
            )
    if settings.stage < 0:
        raise InputError(f"stage must be 0 (the last feature map) or more; got {settings.stage}.")
    check_path(settings.baseline, settings.steps)
    settings.configured()
    if image.ndim != 2 or not image.size:
        raise InputError(f"image must be one grey image (H, W); got an array of shape {image.shape}.")
    chosen = {name: _indices(models[name], findings) for name in settings.models}
    return _compare(
        image, settings, models, chosen, surroundings or Surroundings(), with_predictions=with_predictions
    )


def collect(
    events: Iterable[Event],
    *,
    image: np.ndarray,
    settings: Settings,
    source: str = "",
    masks: Mapping[str, np.ndarray] | None = None,
    truth: Mapping[str, int] | None = None,
    note: str = "",
) -> Comparison:
    """Collect the results of ``compare`` into a comparison; of drafts the last one is kept."""
    predictions: dict[str, Prediction] = {}
    heat_maps: dict[tuple[str, str], HeatMaps] = {}
    for event in events:
        if isinstance(event, Prediction):
            predictions[event.model] = event
        else:
            heat_maps[event.model, event.method] = event
    return Comparison(image, source, settings, predictions, heat_maps, masks or {}, truth or {}, note)


def _prepare(model: Classifier, box: Box | None, film: np.ndarray) -> Tensor:
    """A film as the model takes it, (1, C, H, W)."""
    return model.spec.preprocessing(film, box)[None].to(next(model.parameters()).dtype)


def _compare(
    image: np.ndarray,
    settings: Settings,
    models: Mapping[str, Classifier],
    findings: Mapping[str, Sequence[int]],
    surroundings: Surroundings,
    *,
    with_predictions: bool,
) -> Iterator[Event]:
    needs = {each.record.needs for each in settings.configured()}
    for name in settings.models:
        model = models[name]
        if with_predictions:
            yield prediction(name, model, image)
        indices = findings[name]
        if not indices:
            continue
        preprocessing = model.spec.preprocessing
        box = preprocessing.box(image) if preprocessing.crop != "none" else None
        prepare = partial(_prepare, model, box)
        names = dict(zip(model.spec.findings, finding_names(model), strict=True))
        context = surroundings.context({index: names[index] for index in indices}, prepare, needs=needs)
        for heat in _explain(name, model, prepare(image), settings, context, indices):
            yield replace(heat, box=box)


def _indices(model: Classifier, findings: Sequence[str] | None) -> list[int]:
    """The findings among the model's labels, in the model's order; all of them for None."""
    return [
        index
        for index in model.spec.findings
        if findings is None or canonical(model.spec.labels[index]) in findings
    ]


def prediction(name: str, model: Classifier, image: np.ndarray) -> Prediction:
    """The prediction of a model, which is called ``name`` here, for a film (H, W)."""
    start = perf_counter()
    outputs = predict(model, image)
    seconds = perf_counter() - start
    shown = list(model.spec.findings)
    return Prediction(
        model=name,
        revision=model.revision,
        labels=finding_names(model),
        logits=outputs.logits[0, shown],
        scores=outputs.scores[0, shown],
        thresholds=np.array(model.spec.thresholds, np.float32)[shown],
        seconds=seconds,
        title=model.spec.title,
        distance=float(outputs.distances[0]),
    )


def _explain(
    name: str,
    model: Classifier,
    images: Tensor,
    settings: Settings,
    context: Context,
    findings: Sequence[int],
) -> Iterator[HeatMaps]:
    """The heat maps of one model, with shared passes; methods that do not apply yield their problem."""
    configured = {each.key: each for each in settings.configured()}.values()
    problems = {each.key: each.problem(model, context) for each in configured}
    possible = [key for key, problem in problems.items() if problem is None]
    # If the model lacks the stage, methods that read it have a problem and are not computed.
    stage = settings.stage if settings.stage < len(model.stages) else 0
    explanations = explain(
        model,
        images,
        findings,
        possible,
        stage=stage,
        baseline=settings.baseline,
        steps=settings.steps,
        context=context,
    )
    drafts = groupby(explanations, key=attrgetter("method"))
    for each in configured:
        problem = problems[each.key]
        if problem is not None:
            yield _inapplicable(name, model, each, problem)
            continue
        for explanation in next(drafts)[1]:
            labels = tuple(canonical(model.spec.labels[index]) for index in findings)
            heat = _heat_maps(name, model, each, explanation)
            yield replace(heat, labels=labels, finding_remarks=_finding_remarks(model, each, findings))


def _inapplicable(name: str, model: Classifier, method: ConfiguredMethod, problem: str) -> HeatMaps:
    return HeatMaps(
        model=name,
        method=method.key,
        stage=None,
        labels=finding_names(model),
        maps=np.empty((0, 0, 0), np.float32),
        preprocessing=model.spec.preprocessing,
        seconds=float("nan"),
        problem=problem,
        title=method.title,
    )


def _heat_maps(name: str, model: Classifier, method: ConfiguredMethod, explanation: Explanation) -> HeatMaps:
    heat = replace(
        _inapplicable(name, model, method, ""),
        stage=explanation.stage,
        maps=explanation.maps[0].numpy().astype(np.float32, copy=False),
        seconds=explanation.seconds,
        progress=explanation.progress,
        completeness=explanation.completeness[0].numpy().astype(np.float32, copy=False),
        stable=explanation.stable[0].numpy(),
        problem=None,
        signed=method.record.signed,
    )
    return replace(heat, remarks=tuple(_remarks(model, method.record, explanation)))


def _remarks(model: Classifier, record: Method, explanation: Explanation) -> Iterator[str]:
    """Notes that hold on this model at this stage for any radiograph."""
    if explanation.stage is not None:
        for group in identical_by_construction(model, explanation.stage, tuple(METHODS)):
            if record.name in group:
                names = " = ".join(METHODS[name].title for name in group)
                yield f"identical at this stage by construction: {names}; they differ at earlier stages"
    if not record.class_specific:
        yield "same for every finding: this method does not look at the score"


def _finding_remarks(model: Classifier, method: ConfiguredMethod, findings: Sequence[int]) -> tuple[str, ...]:
    """Notes that hold on this model for one finding each; empty where the method has none."""
    remark = method.record.remark
    return () if remark is None else tuple(remark(model, index, method.parameters) for index in findings)


def finding_names(model: Classifier) -> tuple[str, ...]:
    """Canonical names of the model's findings, so that models of several data sets share their names."""
    return tuple(canonical(model.spec.labels[index]) for index in model.spec.findings)
