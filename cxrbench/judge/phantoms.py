"""The maps of one phantom judged, against its masks and its twins."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain import ConfiguredMethod, Context, configured_method, explain
from cxrbench.judge.films import JudgedFilm
from cxrbench.judge.judged_map import JudgedMap
from cxrbench.judge.judged_phantom import JudgedPhantom
from cxrbench.judge.protocol import Criterion
from cxrbench.judge.repeated_maps import RepeatedMaps, final_maps
from cxrbench.models import Classifier

__all__ = ["Judgement", "applicable_methods", "check_whole_films", "judge_phantom"]

_SIDE: Final = 1024  # any: phantoms are square


@dataclass(frozen=True)
class Judgement:
    """One value: of one criterion, for one map of one finding.

    Args:
        method: key of the method, with the parameters that it states.
        finding: name of the finding, which is present.
        criterion: a key of ``CRITERIA``.
        value: NaN where it is undefined.
        best: the best value that a map on the method's grid could have got; NaN where that is not known.
    """

    method: str
    finding: str
    criterion: str
    value: float
    best: float


def check_whole_films(model: Classifier) -> None:
    """Check that a model sees exactly whole phantoms, which are square: maps are compared with their masks.

    Raises:
        InputError: it sees a crop, or a phantom framed or cut to the proportions of its input.
    """
    departure = model.spec.preprocessing.departure((_SIDE, _SIDE))
    if departure:
        raise InputError(
            f"On a phantom, {model.spec.name} sees {departure}, and masks are known for whole phantoms; "
            "judge it on real films (cxrbench judge --truth)."
        )


def applicable_methods(
    model: Classifier, methods: Sequence[str]
) -> tuple[tuple[ConfiguredMethod, ...], dict[str, str]]:
    """The methods that apply to a model where twins are known; for each of the others, why it does not.

    Raises:
        InputError: an unknown method or parameter.
    """
    configured = [configured_method(key) for key in methods]
    problems = {each: each.problem(model, Context(twins={})) for each in configured}
    reasons = {each.title: problem for each, problem in problems.items() if problem is not None}
    return tuple(each for each, problem in problems.items() if problem is None), reasons


def judge_phantom(
    model: Classifier,
    film: JudgedFilm,
    methods: Sequence[str],
    criteria: Sequence[Criterion],
    *,
    only: tuple[str, ...] = (),
    seed: int = 0,
) -> Iterator[Judgement]:
    """Judge the maps of findings that are present, method by method.

    Args:
        model: in eval mode.
        film: the phantom with its twins; findings that are not among the model's labels are left out.
        methods: keys of ``METHODS``; those that do not apply to the model are left out.
        criteria: records of ``CRITERIA``.
        only: names of the findings to judge; all if empty.
        seed: of the criteria's random numbers.

    Raises:
        InputError: an unknown method, or a model that does not see exactly whole phantoms.
    """
    check_whole_films(model)
    applicable, _ = applicable_methods(model, methods)
    judged = JudgedPhantom(model, film, only, seed)
    if not judged.findings or not applicable:
        return
    repeated = RepeatedMaps(judged, applicable)
    indices = list(judged.findings.values())
    best: dict[tuple[str, str, tuple[int, int]], float] = {}
    for explanation in explain(
        model, judged.image, indices, [each.key for each in applicable], context=repeated.context
    ):
        if explanation.progress < 1:
            continue
        method = next(each for each in applicable if each.key == explanation.method)
        maps = explanation.maps[0].numpy()
        for place, finding in enumerate(judged.findings):
            subject = _subject(judged, repeated, method, maps, place, criteria)
            for criterion in criteria:
                # The best value depends on the finding and the grid, not on the map: computed once for both.
                key = (criterion.name, finding, subject.grid)
                if key not in best:
                    best[key] = criterion.best(subject)
                value = criterion.value(subject)
                yield Judgement(method.key, finding, criterion.name, value, best[key])


def _subject(
    judged: JudgedPhantom,
    repeated: RepeatedMaps,
    method: ConfiguredMethod,
    maps: np.ndarray,
    place: int,
    criteria: Sequence[Criterion],
) -> JudgedMap:
    """One map with what the criteria need; the rest is not computed."""
    needed = {field for criterion in criteria for field in (*criterion.fields, *criterion.uses)}
    finding = list(judged.findings)[place]
    marker = judged.film.marker
    makers: dict[str, Callable[[], Any]] = {
        "boxes": lambda: judged.boxes(finding),
        "lungs": lambda: judged.lungs,
        "parts": lambda: judged.parts(finding),
        "image": lambda: judged.image[0],
        "twin": lambda: judged.twins[finding][0],
        "healthy": lambda: judged.healthy[0],
        "baselines": lambda: judged.baselines,
        "square_drops": lambda: judged.square_drops[finding],
        "score": lambda: judged.score(finding),
        "explain": lambda: partial(_explain, judged, method, finding),
        "noisy_maps": lambda: repeated.noisy[method.key][:, place],
        "randomised_maps": lambda: repeated.randomised[method.key][:, place],
        "logit": lambda: judged.logit(finding),
        "threshold": lambda: judged.threshold(finding),
        "other_maps": lambda: np.delete(maps, place, axis=0) if len(maps) > 1 else None,
        "marker": lambda: None if marker is None else judged.masks[marker],
        "map_without_marker": lambda: (
            repeated.unmarked[method.key][place] if judged.flips_without_marker(finding) else None
        ),
        "logit_without_marker": lambda: None if marker is None else judged.logit(finding, without=marker),
    }
    known = {field: make() for field, make in makers.items() if field in needed}
    return JudgedMap(
        map=maps[place],
        size=judged.size,
        mask=judged.own_masks[finding],
        finding=finding,
        seed=judged.seed,
        **known,
    )


def _explain(judged: JudgedPhantom, method: ConfiguredMethod, finding: str, images: Tensor) -> Tensor:
    index = judged.findings[finding]
    context = Context({index: judged.twins[finding].expand(len(images), -1, -1, -1)})
    return final_maps(judged.model, images, [index], [method.key], context)[method.key][:, 0]
