"""One image, several methods: maps from shared passes, intermediate results as they come."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain.asked import check, finding_list, stage_name
from cxrbench.explain.display import upsample
from cxrbench.explain.gradient import check_path
from cxrbench.explain.methods import method
from cxrbench.explain.passes import Passes
from cxrbench.explain.protocol import Method
from cxrbench.models import Classifier

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True)
class Explanation:
    """What one method says about the asked findings.

    Args:
        method: a key of ``METHODS``.
        stage: the feature map it read; None for methods that read none.
        maps: (B, K, h, w) float32 on the method's own grid, signed, not normalised.
        size: (H, W) of the images explained.
        seconds: this method's own work so far, with the passes it shares with others.
        completeness: (B, K) relative completeness error; NaN where the method defines none.
        stable: (B, K) bool; False where a relative perturbation of 1e-6 would change the map visibly.
        progress: path points done ÷ asked; below 1 this is a draft and a better one follows.
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
) -> Iterator[Explanation]:
    """Explain findings by several methods, which share their passes; a map comes as soon as it is known.

    What was asked is checked before the first map. A progressive method yields drafts, each replacing the one
    before, the last with ``progress`` 1. Closing the iterator stops the work.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        methods: keys of ``METHODS``, computed in this order.
        stage: the feature map that CAMs read: its name, or counted from the last (0); default: the last.
        baseline: of integrated gradients: ``black``, ``mean`` or ``blur``.
        steps: of integrated gradients.

    Raises:
        InputError: anything asked that cannot be: an unknown name, a finding out of range, a model in train
            mode, a method that does not apply to the model.
    """
    check(model, images)
    asked = torch.tensor(finding_list(model, findings))
    records = [method(name) for name in methods]
    for record in records:
        if problem := record.supports(model):
            raise InputError(f"{record.title} does not apply here: {problem}.")
    check_path(baseline, steps)  # refused now, not when its turn comes
    passes = Passes(model, images, asked, stage_name(model, stage), baseline, steps)
    return _run(passes, records)


def _run(passes: Passes, records: list[Method]) -> Iterator[Explanation]:
    shared = 0.0
    for record in records:
        if record.reads_stage and not shared:
            start = time.perf_counter()
            _ = passes.features
            shared = time.perf_counter() - start
        yield from _one(passes, record, shared if record.reads_stage else 0.0)


def _one(passes: Passes, record: Method, seconds: float) -> Iterator[Explanation]:
    """One method's drafts; the clock stands while the caller holds one."""
    height, width = passes.images.shape[2:]
    drafts = record.compute(passes)
    while True:
        start = time.perf_counter()
        draft = next(drafts, None)
        seconds += time.perf_counter() - start
        if draft is None:
            return
        yield Explanation(
            method=record.name,
            stage=passes.stage if record.reads_stage else None,
            maps=draft.maps,
            size=(height, width),
            seconds=seconds,
            completeness=draft.completeness,
            stable=draft.stable,
            progress=draft.done / draft.total,
        )
