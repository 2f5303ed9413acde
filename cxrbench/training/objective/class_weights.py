"""Class weights of a loss, from the counts of positives and negatives."""

import torch
from torch import Tensor

__all__ = ["class_balance", "positive_weights"]


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


def class_balance(targets: Tensor, *, beta: float = 0.9999) -> tuple[Tensor, Tensor]:
    """Weights of the positive and the negative term by effective numbers: ``(1 − β) / (1 − βⁿ)``.

    Args:
        targets: (N, L) in [0, 1] or NaN; soft targets count in part.
        beta: in [0, 1): 0 weighs both terms alike, towards 1 by inverse frequency.

    Returns:
        Two of (L,) that sum to 2; 1 and 1 for a finding with no known positive or no known negative.

    Reference:
        Cui et al. 2019, arXiv:1901.05555, eq. 4. There one label of C is present and the weights of the C
        classes sum to C; here each finding has two classes of its own, present and absent.
    """
    positives, negatives = targets.double().nansum(dim=0), (1 - targets.double()).nansum(dim=0)
    raised = torch.stack([(1 - beta) / (1 - beta**n) for n in (positives, negatives)])  # (2, L)
    shares = 2 * raised / raised.sum(0)
    both = (positives > 0) & (negatives > 0)
    weights = torch.where(both, shares, 1.0).to(targets.dtype)
    return weights[0], weights[1]
