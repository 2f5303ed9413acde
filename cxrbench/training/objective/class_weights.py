"""Class weights of a loss, from the counts of positives and negatives."""

import torch
from torch import Tensor

__all__ = ["class_balance", "positive_weights"]


def positive_weights(targets: Tensor, *, ceiling: float = 20.0) -> Tensor:
    """Weights of the positives: w = n₋ / n₊, at most ``ceiling``.

    Args:
        targets: (N, L) in [0, 1] or NaN; soft targets count fractionally.
        ceiling: prevents a few positives from dominating the gradient.

    Returns:
        (L,); 1 for a finding without a known positive.
    """
    positives = targets.nansum(dim=0)
    negatives = (1 - targets).nansum(dim=0)
    ratio = (negatives / positives).clamp(max=ceiling)
    return torch.where(positives > 0, ratio, 1.0)


def class_balance(targets: Tensor, *, beta: float = 0.9999) -> tuple[Tensor, Tensor]:
    """Class-balanced weights of positives and negatives: ``(1 − β) / (1 − βⁿ)``, normalised.

    Args:
        targets: (N, L) in [0, 1] or NaN; soft targets count fractionally.
        beta: in [0, 1); 0 gives equal weights, towards 1 the inverse frequency.

    Returns:
        Weights of positives and negatives, each (L,), which sum to 2; both 1 for a finding without known
        positives or negatives.

    Reference:
        Cui et al. 2019, arXiv:1901.05555, eq. 4. There, exactly one of C classes is present and the weights
        sum to C; here, each finding has two classes, present and absent.
    """
    positives, negatives = targets.double().nansum(dim=0), (1 - targets.double()).nansum(dim=0)
    raised = torch.stack([(1 - beta) / (1 - beta**n) for n in (positives, negatives)])  # (2, L)
    shares = 2 * raised / raised.sum(0)
    both = (positives > 0) & (negatives > 0)
    weights = torch.where(both, shares, 1.0).to(targets.dtype)
    return weights[0], weights[1]
