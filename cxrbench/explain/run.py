"""One image, several methods: maps from shared passes, intermediate results as they come."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cxrbench.explain.context import Context
from cxrbench.explain.display import upsample
from cxrbench.explain.gradient import check_path
from cxrbench.explain.methods import configured_method
from cxrbench.explain.passes import Passes
from cxrbench.explain.protocol import ConfiguredMethod
from cxrbench.explain.validation import check_inputs, finding_list, stage_name
from cxrbench.models import Classifier

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True)
class Explanation:
    """The maps of one method.

    Args:
        method: a key of ``METHODS``, with the parameters that it states: ``grad_cam(stage=1)``.
        stage: name of the stage whose feature map was read; None for methods that read none.
        maps: (B, K, h, w) on the method's own grid, signed, not normalised, of the images' dtype.
        size: (H, W) of the images.
        seconds: computing time so far, including the passes shared with other methods.
        completeness: (B, K) relative completeness error; NaN where the method defines none.
        stable: (B, K) bool; False where a relative perturbation of 1e-6 would change the map visibly.
        progress: path points done ÷ total; below 1 this is a draft, which a later one replaces.
    """

    method: str
    stage: str | None
    maps: Tensor
    size: tuple[int, int]
    seconds: float
    completeness: Tensor
    stable: Tensor
    progress: float = 1.0

    @cached_property
    def relevance(self) -> Tensor:
        """The maps at the images' size, (B, K, H, W)."""
        return upsample(self.maps, self.size)


def explain(
    model: Classifier,
    images: Tensor,
    findings: Tensor | Sequence[int],
    methods: Sequence[str],
    *,
    stage: str | int | None = None,
    baseline: str = "black",
    steps: int = 50,
    context: Context | None = None,
) -> Iterator[Explanation]:
    """Explain findings by several methods, which share their passes; yield each result once it is computed.

    Arguments are checked before the first map is computed. A progressive method yields drafts, each of which
    replaces the one before; the last has ``progress`` 1. Closing the iterator stops the computation.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        methods: keys of ``METHODS``, computed in this order; a method's parameters may follow in
            parentheses: ``grad_cam(stage=1)``.
        stage: stage of methods that read a feature map and state none: name, or index counted from the last
            (0); default: the last.
        baseline: baseline of methods that have one and state none: ``black``, ``mean`` or ``blur``.
        steps: path points of methods that have them and state none.
        context: what is known of the images besides their pixels, for methods that need it.

    Raises:
        InputError: an unknown name, a finding out of range, a model in train mode, or a method that does not
            apply to the model or to these images.
    """
    check_inputs(model, images)
    indices = torch.tensor(finding_list(model, findings))
    check_path(baseline, steps)
    stages = tuple(model.stages)
    place = len(stages) - 1 - stages.index(stage_name(model, stage)) if stages else 0
    known = context or Context()
    # All of them are checked now, not when their turn comes.
    configured = [configured_method(key, stage=place, baseline=baseline, steps=steps) for key in methods]
    for each in configured:
        each.check(model, known)
    return _run(Passes(model, images, indices, known), configured)


def _run(passes: Passes, methods: list[ConfiguredMethod]) -> Iterator[Explanation]:
    shared: dict[str, float] = {}
    for each in methods:
        stage = each.stage(passes.model)
        part = "attention" if each.record.family == "attention" else stage
        if part is not None and part not in shared:
            start = time.perf_counter()
            if stage is None:
                _ = passes.attention
            else:
                passes.features(stage)
            shared[part] = time.perf_counter() - start
        yield from _explanations(passes, each, 0.0 if part is None else shared[part])


def _explanations(passes: Passes, method: ConfiguredMethod, seconds: float) -> Iterator[Explanation]:
    """The drafts of one method; the time that the caller spends between them does not count."""
    height, width = passes.images.shape[2:]
    drafts = method.record.compute(passes, method.parameters)
    while True:
        start = time.perf_counter()
        draft = next(drafts, None)
        seconds += time.perf_counter() - start
        if draft is None:
            return
        yield Explanation(
            method=method.key,
            stage=method.stage(passes.model),
            maps=draft.maps,
            size=(height, width),
            seconds=seconds,
            completeness=draft.completeness,
            stable=draft.stable,
            progress=draft.done / draft.total,
        )
