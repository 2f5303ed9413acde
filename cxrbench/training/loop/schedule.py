"""Learning rate schedule and parameter groups."""

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

__all__ = ["parameter_groups", "rate_at"]


def rate_at(step: int, *, steps: int, warmup: int, peak: float, floor: float = 0.01) -> float:
    """Linear warm-up, then cosine annealing.

    ``peak · (t + 1) / warmup`` for t < warmup; then ``peak · (floor + (1 − floor) · (1 + cos πu) / 2)`` with
    u from 0 at the end of the warm-up to 1 at the last step.

    Args:
        step: from 0.
        steps: of the phase.
        warmup: steps of the warm-up, fewer than ``steps``.
        peak: highest rate.
        floor: final rate, as a fraction of the peak.

    Reference:
        Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(steps - 1 - warmup, 1)
    return peak * (floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2)


def parameter_groups(
    model: nn.Module, weight_decay: float, depths: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """Parameter groups for AdamW: weight decay for matrices and kernels, none for biases and norms.

    Args:
        model: its parameters that require gradients are used.
        weight_decay: of parameters with more than one dimension.
        depths: parameter → number of stages between it and the head; one group per depth.
    """
    depths = depths or {}
    trained = [(depths.get(name, 0), p) for name, p in model.named_parameters() if p.requires_grad]
    groups: list[dict[str, object]] = []
    for depth in sorted({depth for depth, _ in trained}) or [0]:
        parameters = [p for own, p in trained if own == depth]
        decaying, others = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
        groups.append({"params": decaying, "weight_decay": weight_decay, "depth": depth})
        groups.append({"params": others, "weight_decay": 0.0, "depth": depth})
    return groups
