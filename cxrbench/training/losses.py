"""What training minimises. A target that is NaN is unknown, and has no say."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["masked_bce", "positive_weights"]


def masked_bce(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, averaged over the targets that are known.

    ``−mean(w·y·log σ(x) + (1 − y)·log(1 − σ(x)))`` over all (sample, finding) with y ≠ NaN.

    Args:
        logits: (N, L).
        targets: (N, L) in [0, 1], soft ones allowed, or NaN for unknown.
        weights: (L,) of the positive term, or None for 1 (see ``positive_weights``).

    Returns:
        A scalar; 0 with a zero gradient where nothing is known.
    """
    known = ~torch.isnan(targets)
    # NaN · 0 is NaN, also in the gradient, so unknown targets are replaced before the loss, not after.
    filled = torch.where(known, targets, 0.0)
    each = F.binary_cross_entropy_with_logits(logits, filled, pos_weight=weights, reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def positive_weights(targets: Tensor, *, ceiling: float = 20.0) -> Tensor:
    """How much rarer a positive is than a negative: w = n₋ / n₊, at most ``ceiling``.

    Args:
        targets: (N, L) in [0, 1] or NaN; soft targets count in part.
        ceiling: keeps a handful of positives from owning every gradient.

    Returns:
        (L,); 1 for a finding without a known positive.
    """
    positives = targets.nansum(dim=0)
    negatives = (1 - targets).nansum(dim=0)
    ratio = (negatives / positives).clamp(max=ceiling)
    return torch.where(positives > 0, ratio, 1.0)
