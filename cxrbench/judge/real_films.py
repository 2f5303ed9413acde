"""The maps of one real film judged, against published masks and boxes.

Criteria that need masks or boxes are computed on the pixels that the network sees, at the film's resolution
(at most ``LARGEST`` pixels per side); those that need further passes of the network on its input.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain import BASELINES, ConfiguredMethod, Context, configured_method, explain
from cxrbench.judge.film_truth import RealFilm, Truth
from cxrbench.judge.judged_map import JudgedMap
from cxrbench.judge.maps import reduced_mask
from cxrbench.judge.phantoms import Judgement
from cxrbench.judge.protocol import Criterion
from cxrbench.labels import finding_columns, finding_key
from cxrbench.models import Classifier
from cxrbench.preprocess.lungs import segment
from cxrbench.preprocess.placement import Placement

__all__ = [
    "LARGEST",
    "applicable_to_films",
    "check_real_criterion",
    "judge_real_film",
]

LARGEST: Final = 1024  # pixels per side at which maps and masks are compared: the size of NIH's films

# Fields of ``JudgedMap`` that are known of a real film: of its findings, and of the network's input.
_OF_FINDINGS: Final = frozenset({"region", "mask", "boxes", "lungs"})
_OF_INPUT: Final = frozenset({"image", "baselines", "score", "logit", "threshold", "other_maps"})


def check_real_criterion(criterion: Criterion) -> None:
    """Check that a criterion can be computed on real films.

    Raises:
        InputError: it needs something else, such as twins.
    """
    if missing := set(criterion.fields) - _OF_FINDINGS - _OF_INPUT:
        raise InputError(
            f"{criterion.name} cannot be computed on real films: it needs {', '.join(sorted(missing))}; "
            "judge phantoms, or choose another criterion."
        )


def applicable_to_films(model: Classifier, methods: Sequence[str]) -> tuple[ConfiguredMethod, ...]:
    """The methods that apply to a model where no twin is known.

    Raises:
        InputError: an unknown method or parameter.
    """
    configured = [configured_method(key) for key in methods]
    return tuple(each for each in configured if each.problem(model, Context()) is None)


@dataclass(frozen=True, eq=False)
class _SeenFilm:
    """A film as one model sees it."""

    model: Classifier
    film: RealFilm

    @cached_property
    def placement(self) -> Placement:
        """Where the network's input lies on the film."""
        preprocessing = self.model.spec.preprocessing
        return preprocessing.placement(self.film.image.shape, preprocessing.box(self.film.image))

    @cached_property
    def image(self) -> Tensor:
        """The network's input, (1, C, H, W)."""
        return self.model.spec.preprocessing(self.film.image, box=self.placement.box)[None]

    @cached_property
    def size(self) -> tuple[int, int]:
        """(H, W) at which maps and masks are compared: that of the part that the network sees."""
        top, left, bottom, right = self.placement.window
        scale = min(1.0, LARGEST / max(bottom - top, right - left))
        return round((bottom - top) * scale), round((right - left) * scale)

    @cached_property
    def findings(self) -> Mapping[str, int]:
        """Finding, as the model spells it → index among its labels; only those whose place is known."""
        columns = finding_columns(self.model.spec.labels)
        known = [finding_key(name) for name in self.film.truth]
        return {self.model.spec.labels[columns[key]]: columns[key] for key in known if key in columns}

    def truth(self, finding: str) -> Truth:
        """Where a finding is, in pixels of ``size``."""
        key = finding_key(finding)
        truth = next(each for name, each in self.film.truth.items() if finding_key(name) == key)
        return Truth(
            None if truth.mask is None else self.seen(truth.mask),
            self._seen_boxes(truth.boxes),
        )

    @cached_property
    def lungs(self) -> np.ndarray | None:
        """The lungs by the shipped segmentation network, in pixels of ``size``; None if it is unsure."""
        lungs = segment(self.film.image)
        return self.seen(lungs.mask) if lungs.sure else None

    @cached_property
    def baselines(self) -> Mapping[str, Tensor]:
        """Black, mean and blurred image, (C, H, W)."""
        return {name: make(self.model, self.image)[0] for name, make in BASELINES.items()}

    @cached_property
    def logits(self) -> Tensor:
        """(L,)."""
        with torch.inference_mode():
            logits: Tensor = self.model(self.image)[0]
            return logits

    def seen(self, mask: np.ndarray) -> np.ndarray:
        """The part of a mask (H, W) of the film that the network sees, in pixels of ``size``."""
        return reduced_mask(self.placement.cut(mask.astype(np.float32)) > 0.5, self.size)

    def _seen_boxes(self, boxes: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.placement.window
        height, width = self.size
        scale = np.tile([width / (right - left), height / (bottom - top)], 2)
        moved = np.clip((boxes - [left, top, left, top]) * scale, 0, [width, height, width, height])
        seen: np.ndarray = moved[(moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])]
        return seen


def judge_real_film(
    model: Classifier, film: RealFilm, methods: Sequence[str], criteria: Sequence[Criterion], *, seed: int = 0
) -> Iterator[Judgement]:
    """Judge the maps of the findings whose place is known, method by method.

    Args:
        model: in eval mode; findings that are not among its labels are left out.
        film: with where its findings are.
        methods: keys of ``METHODS``; those that do not apply to the model or need a twin are left out.
        criteria: records of ``CRITERIA``.
        seed: of the criteria's random numbers.

    Raises:
        InputError: an unknown method, or a criterion that real films do not allow.
    """
    for criterion in criteria:
        check_real_criterion(criterion)
    configured = {each.key: each for each in applicable_to_films(model, methods)}
    seen = _SeenFilm(model, film)
    if not seen.findings or not configured:
        return
    truths = {finding: seen.truth(finding) for finding in seen.findings}
    best: dict[tuple[str, str, tuple[int, int]], float] = {}
    context = Context(patient=film.patient)
    indices = list(seen.findings.values())
    for explanation in explain(model, seen.image, indices, list(configured), context=context):
        if explanation.progress < 1:
            continue
        maps = explanation.maps[0].numpy()
        for place, finding in enumerate(seen.findings):
            for criterion in criteria:
                subject = _subject(seen, truths[finding], finding, maps, place, criterion, seed)
                # The best value depends on the finding and the grid, not on the map.
                key = (criterion.name, finding, subject.grid)
                if key not in best:
                    best[key] = criterion.best(subject)
                value = criterion.value(subject)
                yield Judgement(configured[explanation.method].key, finding, criterion.name, value, best[key])


def _subject(
    seen: _SeenFilm,
    truth: Truth,
    finding: str,
    maps: np.ndarray,
    place: int,
    criterion: Criterion,
    seed: int,
) -> JudgedMap:
    """One map with what a criterion needs: at the film's resolution, or that of the network's input."""
    index = seen.findings[finding]
    fields = set(criterion.fields)
    on_film = bool(fields & _OF_FINDINGS)
    makers: dict[str, Callable[[], Any]] = {
        "lungs": lambda: seen.lungs,
        "image": lambda: seen.image[0],
        "baselines": lambda: seen.baselines,
        "score": lambda: partial(_score, seen.model, index),
        "logit": lambda: float(seen.logits[index]),
        "threshold": lambda: float(torch.logit(torch.tensor(seen.model.spec.thresholds[index]))),
        "other_maps": lambda: np.delete(maps, place, axis=0) if len(maps) > 1 else None,
    }
    known = {field: make() for field, make in makers.items() if field in fields}
    height, width = seen.image.shape[2:]
    return JudgedMap(
        map=maps[place],
        size=seen.size if on_film else (height, width),
        mask=truth.mask if on_film else None,
        boxes=truth.boxes if on_film else None,
        finding=finding,
        seed=seed,
        **known,
    )


def _score(model: Classifier, index: int, images: Tensor) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = model(images)[:, index]
        return logits
