"""Losses for multi-label classification; NaN targets are ignored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.errors import InputError
from cxrbench.training.objective.class_weights import class_balance, positive_weights

__all__ = [
    "LOSSES",
    "Criterion",
    "Loss",
    "asymmetric",
    "class_balance",
    "focal",
    "masked_bce",
    "positive_weights",
    "smoothed",
    "three_class",
]

# Logits (N, ·), targets (N, L) → a scalar.
Criterion = Callable[[Tensor, Tensor], Tensor]


def masked_bce(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, averaged over the known targets.

    ``−mean(w·y·log σ(x) + (1 − y)·log(1 − σ(x)))`` over all (sample, finding) with y ≠ NaN.

    Args:
        logits: (N, L).
        targets: (N, L) in [0, 1], may be soft; NaN for unknown.
        weights: (L,) of the positive term, or None for 1 (see ``positive_weights``).

    Returns:
        A scalar; 0 with a zero gradient if no target is known.
    """
    known = ~torch.isnan(targets)
    # NaN · 0 is NaN, also in the gradient, so unknown targets are replaced before the loss, not after.
    filled = torch.where(known, targets, 0.0)
    losses = F.binary_cross_entropy_with_logits(logits, filled, pos_weight=weights, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def focal(logits: Tensor, targets: Tensor, *, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Focal loss: down-weights well-classified examples.

    ``−mean(α·y·(1 − p)^γ·log p + (1 − α)·(1 − y)·p^γ·log(1 − p))`` with p = σ(x).

    Args:
        logits: (N, L).
        targets: (N, L) in [0, 1] or NaN; a soft target mixes the two terms.
        gamma: focusing parameter; 0 gives weighted cross-entropy.
        alpha: weight of the positives, in [0, 1]; 0.5 gives both classes equal weight.

    Reference:
        Lin et al. 2017, arXiv:1708.02002, eq. 5. There, the sum over anchors is divided by the number of
        matched ones; here, it is the mean over known targets.
    """
    log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)  # log p, log(1 − p)
    # Powers as exponentials: the gradient of p^γ is infinite where p underflows to 0 and γ < 1.
    positive = -alpha * torch.exp(gamma * log_q) * log_p
    negative = -(1 - alpha) * torch.exp(gamma * log_p) * log_q
    return _mean(positive, negative, targets)


def asymmetric(
    logits: Tensor, targets: Tensor, *, gamma_pos: float = 0.0, gamma_neg: float = 4.0, margin: float = 0.05
) -> Tensor:
    """Asymmetric loss: down-weights easy negatives more than easy positives, and ignores the easiest.

    ``−mean(y·(1 − p)^γ₊·log p + (1 − y)·q^γ₋·log(1 − q))`` with p = σ(x), q = max(p − m, 0).

    Args:
        logits: (N, L).
        targets: (N, L) in [0, 1] or NaN.
        gamma_pos: γ₊, focusing parameter of the positives.
        gamma_neg: γ₋, focusing parameter of the negatives.
        margin: m in [0, 1); negatives with a score below it have no loss.

    Reference:
        Ridnik et al. 2021, arXiv:2009.14119, eq. 5–7; the mean instead of the sum.
    """
    log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
    positive = -torch.exp(gamma_pos * log_q) * log_p
    shifted = (log_p.exp() - margin).clamp(
        min=torch.finfo(logits.dtype).tiny
    )  # the gradient at 0 is not finite
    log_rest = torch.logaddexp(log_q, log_q.new_tensor(margin).log()).clamp(
        max=0
    )  # log(1 − p + m) = log(1 − q)
    return _mean(positive, -(shifted**gamma_neg) * log_rest, targets)


def three_class(logits: Tensor, targets: Tensor) -> Tensor:
    """U-MultiClass: cross-entropy over the classes absent, present and uncertain of each finding.

    Args:
        logits: (N, 3L): L logits of absent, then of present, then of uncertain.
        targets: (N, L) of 0, 1, −1 (uncertain) or NaN (unknown); values above 0.5 are present.

    Reference:
        Irvin et al. 2019, arXiv:1901.07031.
    """
    known = ~torch.isnan(targets)
    classes = torch.where(targets < 0, 2, (targets > 0.5).long())
    losses = F.cross_entropy(logits.unflatten(1, (3, -1)), classes, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def smoothed(targets: Tensor, amount: float) -> Tensor:
    """Label smoothing: ``y·(1 − ε) + ε/2``. NaN and −1 (uncertain) are unchanged.

    Reference:
        Szegedy et al. 2016, arXiv:1512.00567, with two classes.
    """
    return torch.where(targets < 0, targets, targets * (1 - amount) + amount / 2)


def _mean(positive: Tensor, negative: Tensor, targets: Tensor) -> Tensor:
    """Mean over known targets of the two terms (N, L), weighted by target and 1 − target."""
    known = ~torch.isnan(targets)
    filled = torch.where(known, targets, 0.0)
    return ((filled * positive + (1 - filled) * negative) * known).sum() / known.sum().clamp(min=1)


def _fixed(loss: Callable[..., Tensor]) -> Callable[..., Criterion]:
    """The factory of a loss that does not depend on the training targets."""
    return lambda targets, **options: lambda logits, known: loss(logits, known, **options)


def _weighted(targets: Tensor, *, ceiling: float) -> Criterion:
    weights = positive_weights(targets, ceiling=ceiling)
    return lambda logits, known: masked_bce(logits, known, weights.to(logits.device))


def _balanced(targets: Tensor, *, beta: float, gamma: float) -> Criterion:
    class_weights = class_balance(targets, beta=beta)

    def loss(logits: Tensor, known: Tensor) -> Tensor:
        positive, negative = (weight.to(logits.device) for weight in class_weights)
        log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
        terms = -positive * torch.exp(gamma * log_q) * log_p, -negative * torch.exp(gamma * log_p) * log_q
        return _mean(*terms, known)

    return loss


@dataclass(frozen=True)
class Loss:
    """One loss.

    Args:
        name: key in ``LOSSES``.
        title: as in the literature.
        summary: one line for a menu.
        reference: the paper.
        fit: training targets (N, L) and options → the function (logits, targets) → a scalar.
        defaults: options with the values of the paper.
        outputs: logits per finding.
    """

    name: str
    title: str
    summary: str
    reference: str
    fit: Callable[..., Criterion]
    defaults: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    outputs: int = 1

    def __call__(self, targets: Tensor, **options: float) -> Criterion:
        """The loss function for these training targets (N, L); options default to those of the paper.

        Raises:
            InputError: the loss has no such option.
        """
        unknown = sorted(set(options) - set(self.defaults))
        if unknown:
            known = ", ".join(self.defaults) or "none"
            raise InputError(f"Loss {self.name!r} has no option {', '.join(unknown)}; it has: {known}.")
        return self.fit(targets, **{**self.defaults, **options})


_IRVIN: Final = "Irvin et al. 2019, arXiv:1901.07031"
LOSSES: Final[Mapping[str, Loss]] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            Loss("bce", "BCE", "binary cross-entropy over the known targets", _IRVIN, _fixed(masked_bce)),
            Loss(
                "weighted",
                "class-weighted BCE",
                "positives weighted by n₋ / n₊ of their finding, up to a ceiling",
                "Rajpurkar et al. 2017, arXiv:1711.05225",
                _weighted,
                MappingProxyType({"ceiling": 20.0}),
            ),
            Loss(
                "focal",
                "focal loss",
                "down-weights well-classified examples",
                "Lin et al. 2017, arXiv:1708.02002",
                _fixed(focal),
                MappingProxyType({"gamma": 2.0, "alpha": 0.25}),
            ),
            Loss(
                "class-balanced",
                "class-balanced loss",
                "both classes weighted by the effective number of their images; focal if gamma is above 0",
                "Cui et al. 2019, arXiv:1901.05555",
                _balanced,
                MappingProxyType({"beta": 0.9999, "gamma": 0.0}),
            ),
            Loss(
                "asymmetric",
                "asymmetric loss",
                "down-weights easy negatives more than easy positives",
                "Ridnik et al. 2021, arXiv:2009.14119",
                _fixed(asymmetric),
                MappingProxyType({"gamma_pos": 0.0, "gamma_neg": 4.0, "margin": 0.05}),
            ),
            Loss(
                "three-class",
                "U-MultiClass",
                "absent, present and uncertain as three classes; needs the policy `multiclass`",
                _IRVIN,
                _fixed(three_class),
                outputs=3,
            ),
        )
    }
)
