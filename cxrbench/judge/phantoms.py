"""The maps of one phantom judged: what is known of it, from its masks and its twins.

Everything is computed on the network's input: film and masks are reduced to its size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.data.phantom import Phantom, parts, twin
from cxrbench.errors import InputError
from cxrbench.explain import BASELINES, ConfiguredMethod, Context, configured_method, explain
from cxrbench.judge.judged_map import JudgedMap, Part
from cxrbench.judge.protocol import Criterion
from cxrbench.models import Classifier

__all__ = ["KNOWN_FIELDS", "JudgedPhantom", "Judgement", "check_criterion", "judge_phantom"]

# What is known of a phantom's maps: fields of ``JudgedMap``. Others need a second film with a planted marker,
# or a model with random weights.
KNOWN_FIELDS: Final = frozenset(
    {
        *("mask", "region", "lungs", "parts", "finding", "image", "twin", "healthy", "baselines", "score"),
        *("explain", "logit", "threshold", "other_maps"),
    }
)


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


def check_criterion(criterion: Criterion) -> None:
    """Check that a criterion can be computed on phantoms.

    Raises:
        InputError: it needs something else.
    """
    if missing := [field for field in criterion.fields if field not in KNOWN_FIELDS]:
        raise InputError(
            f"{criterion.name} cannot be computed here: it needs {', '.join(missing)}; use the functions of "
            "cxrbench.judge."
        )


@dataclass(frozen=True, eq=False)
class JudgedPhantom:
    """A phantom as one model sees it: the film, its twins without each part, and the logits of all.

    Args:
        model: in eval mode; it sees whole films.
        phantom: the phantom.
    """

    model: Classifier
    phantom: Phantom

    @cached_property
    def image(self) -> Tensor:
        """The film as the model takes it, (1, C, H, W)."""
        return self._prepared(self.phantom.image)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the network's input."""
        height, width = self.image.shape[2:]
        return height, width

    @cached_property
    def masks(self) -> Mapping[str, np.ndarray]:
        """Part → where it is, (H, W) bool: findings as rendered, markers, shortcuts, healthy parts."""
        return {name: self.reduced(mask) for name, mask in parts(self.phantom).items()}

    @cached_property
    def twins(self) -> Mapping[str, Tensor]:
        """Part → the film without it, (1, C, H, W)."""
        return {
            name: self._prepared(twin(self.phantom, without=(name,)).phantom.image) for name in self.masks
        }

    @cached_property
    def healthy(self) -> Tensor:
        """The film without any of the parts, (1, C, H, W)."""
        return self._prepared(twin(self.phantom, without=tuple(self.masks)).phantom.image)

    @cached_property
    def baselines(self) -> Mapping[str, Tensor]:
        """Black, mean and blurred image, (C, H, W)."""
        return {name: make(self.model, self.image)[0] for name, make in BASELINES.items()}

    @cached_property
    def logits(self) -> Tensor:
        """Logits of the film and of each twin, in the order of ``masks``: (1 + P, L)."""
        with torch.inference_mode():
            logits: Tensor = self.model(torch.cat([self.image, *self.twins.values()]))
            return logits

    @cached_property
    def findings(self) -> Mapping[str, int]:
        """Present findings that a twin lacks → index among the model's labels."""
        labels = self.model.spec.labels
        return {name: labels.index(name) for name in self.phantom.severity if name in labels}

    @property
    def context(self) -> Context:
        """What methods may know: the twins without each finding."""
        return Context({index: self.twins[name] for name, index in self.findings.items()})

    def parts(self, finding: str) -> tuple[Part, ...]:
        """The parts with the change of a finding's logit when each is taken away."""
        column = self.logits[:, self.findings[finding]].double().numpy()
        return tuple(
            Part(name, mask, float(column[0] - column[1 + place]))
            for place, (name, mask) in enumerate(self.masks.items())
        )

    def reduced(self, mask: np.ndarray) -> np.ndarray:
        """A mask at the network's input size: cells that are half covered, or else those that it touches."""
        cover = F.interpolate(torch.from_numpy(mask).float()[None, None], size=self.size, mode="area")[0, 0]
        half = cover >= 0.5
        chosen: np.ndarray = (half if half.any() else cover > 0).numpy()
        return chosen

    def _prepared(self, film: np.ndarray) -> Tensor:
        return self.model.spec.preprocessing(film)[None]


def judge_phantom(
    model: Classifier,
    phantom: Phantom,
    methods: Sequence[str],
    criteria: Sequence[Criterion],
    *,
    seed: int = 0,
) -> Iterator[Judgement]:
    """Judge the maps of all findings that are present, method by method.

    Args:
        model: in eval mode.
        phantom: with at least one finding among the model's labels; of others nothing is yielded.
        methods: keys of ``METHODS``; those that do not apply to the model are left out.
        criteria: records of ``CRITERIA``.
        seed: of the criteria's random numbers.

    Raises:
        InputError: an unknown method, a criterion that phantoms do not allow, or a model that sees a crop.
    """
    for each in criteria:
        check_criterion(each)
    if model.spec.preprocessing.crop != "none":
        raise InputError(f"{model.spec.name} sees a crop of the film, and masks are known for whole films.")
    judged = JudgedPhantom(model, phantom)
    configured = [configured_method(key) for key in methods]
    applicable = [each for each in configured if each.problem(model, judged.context) is None]
    if not judged.findings:
        return
    indices = list(judged.findings.values())
    best: dict[tuple[str, str, tuple[int, int]], float] = {}
    for explanation in explain(
        model, judged.image, indices, [each.key for each in applicable], context=judged.context
    ):
        if explanation.progress < 1:
            continue
        method = next(each for each in applicable if each.key == explanation.method)
        maps = explanation.maps[0].numpy()
        for place, finding in enumerate(judged.findings):
            subject = _subject(judged, method, finding, maps, place, criteria, seed)
            for criterion in criteria:
                # The best value depends on the finding and the grid, not on the map: computed once for both.
                key = (criterion.name, finding, subject.grid)
                if key not in best:
                    best[key] = criterion.best(subject)
                value = criterion.value(subject)
                yield Judgement(method.key, finding, criterion.name, value, best[key])


def _subject(
    judged: JudgedPhantom,
    method: ConfiguredMethod,
    finding: str,
    maps: np.ndarray,
    place: int,
    criteria: Sequence[Criterion],
    seed: int,
) -> JudgedMap:
    """One map with what the criteria need; the rest is not computed."""
    needed = {field for criterion in criteria for field in criterion.fields}
    index = judged.findings[finding]
    makers: dict[str, Any] = {
        "lungs": lambda: judged.reduced(judged.phantom.outlines["lungs"]),
        "parts": lambda: judged.parts(finding),
        "image": lambda: judged.image[0],
        "twin": lambda: judged.twins[finding][0],
        "healthy": lambda: judged.healthy[0],
        "baselines": lambda: judged.baselines,
        "score": lambda: partial(_score, judged.model, index),
        "explain": lambda: partial(_explain, judged, method, index),
        "logit": lambda: float(judged.logits[0, index]),
        "threshold": lambda: float(torch.logit(torch.tensor(judged.model.spec.thresholds[index]))),
        "other_maps": lambda: np.delete(maps, place, axis=0) if len(maps) > 1 else None,
    }
    known = {field: make() for field, make in makers.items() if field in needed}
    return JudgedMap(
        map=maps[place], size=judged.size, mask=judged.masks[finding], finding=finding, seed=seed, **known
    )


def _score(model: Classifier, index: int, images: Tensor) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = model(images)[:, index]
        return logits


def _explain(judged: JudgedPhantom, method: ConfiguredMethod, index: int, images: Tensor) -> Tensor:
    name = next(name for name, known in judged.findings.items() if known == index)
    context = Context({index: judged.twins[name].expand(len(images), -1, -1, -1)})
    *_, last = explain(judged.model, images, [index], [method.key], context=context)
    return last.maps[:, 0]
