"""Class activation maps: one trunk pass, one gradient of the head per finding, one formula per method.

A are the activations of a stage, g = ∂y/∂A the gradient of a finding's **logit** (not of its score: the
derivative of the sigmoid would scale the map by the network's confidence). The formulas give the signed map,
before any ReLU.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cxrbench.explain.validation import check_inputs, finding_list, stage_name
from cxrbench.models import Classifier, Features

__all__ = [
    "Formula",
    "cam_maps",
    "feature_gradients",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradients_at",
    "hires_cam",
    "layer_cam",
    "logit_gradient",
    "logit_gradients",
    "normalised_grad_cam_plus_plus",
    "trunk_features",
    "weighted_sum",
    "xgrad_cam",
]

# (activations, gradients of one finding), both (B, C, h, w) → map (B, h, w).
Formula = Callable[[Tensor, Tensor], Tensor]


def feature_gradients(
    model: Classifier,
    images: Tensor,
    findings: Tensor | Sequence[int],
    stage: str | int | None = None,
) -> tuple[Tensor, Tensor]:
    """Activations of a stage and the gradients of the findings' logits with respect to them.

    The trunk runs once, without gradients. Its feature map becomes a leaf, the head runs once on it, and each
    finding is differentiated separately, so the result is bit-identical to one call per finding. The model is
    not changed (no hooks, no ``.grad``, no flags), so threads may share it. Works within the caller's
    ``no_grad`` and ``inference_mode``.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        stage: name of the stage, or index counted from the last (0); default: the last.

    Returns:
        Activations (B, C, h, w) and gradients (B, K, C, h, w).

    Raises:
        InputError: the model is in train mode, images have another shape, a finding is out of range, or there
            is no such stage.
    """
    check_inputs(model, images)
    indices = finding_list(model, findings)
    with torch.inference_mode(mode=False):
        return gradients_at(model, trunk_features(model, images, stage_name(model, stage)), indices)


def gradients_at(model: Classifier, features: Features, findings: Sequence[int]) -> tuple[Tensor, Tensor]:
    """``feature_gradients`` of features that the trunk has computed; they are not changed."""
    with torch.inference_mode(mode=False):
        leaf = features.value.detach().requires_grad_()
        with torch.enable_grad():
            # The head gets a copy: its first step may work in place, and the leaf must not change.
            logits = model.head(replace(features, value=leaf.clone()))
        gradients = [features.as_maps(logit_gradient(logits, index, leaf)) for index in findings]
        # Findings outermost in memory: each gradient has the memory layout of a call with one finding.
        return features.as_maps(leaf.detach()).contiguous(), torch.stack(gradients).transpose(0, 1)


def cam_maps(formula: Formula, activations: Tensor, gradients: Tensor) -> Tensor:
    """Apply a formula per finding: activations (B, C, h, w), gradients (B, K, C, h, w) → maps (B, K, h, w).

    One finding at a time: sums over all findings at once would run in another order and give other bits.
    """
    return torch.stack([formula(activations, gradient) for gradient in gradients.unbind(1)], dim=1)


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Σ_k ⟨g_k⟩ · A_k, with ⟨·⟩ the mean over the map.

    Reference: Selvaraju et al. 2017, arXiv:1610.02391. The paper's final ReLU is applied at display.
    """
    return weighted_sum(gradients.mean((2, 3)), activations)


def grad_cam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Σ_k w_k · A_k, w_k = Σ α·relu(g), α = g² / (2g² + S_k·g³), S_k = Σ A_k, α = 0 where g = 0.

    Computed as α = 1 / (2 + S_k·g), the same fraction reduced, which does not underflow at small gradients.

    Reference: Chattopadhyay et al. 2018, arXiv:1710.11063, equation 19. It assumes A ≥ 0; where activations
    are signed (transformers) the denominator may be close to zero; where it is exactly zero α is 0 here.
    """
    return weighted_sum(_plus_plus_terms(activations, gradients).sum((2, 3)), activations)


def normalised_grad_cam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM++ as its authors compute it: in each channel the α where g > 0 are divided by their sum.

    The weight of a channel is then a mean of its positive gradients, weighted by α, and not their sum.

    Reference: github.com/adityac94/Grad_CAM_plus_plus; the paper does not mention it.
    """
    rising = (gradients > 0).to(gradients)
    total = _plus_plus_terms(activations, rising, gradients).sum((2, 3))
    weights = _plus_plus_terms(activations, gradients).sum((2, 3)) / torch.where(total == 0, 1, total)
    return weighted_sum(weights, activations)


def _plus_plus_terms(activations: Tensor, factor: Tensor, gradients: Tensor | None = None) -> Tensor:
    """α · relu(factor), where α is that of the gradients, which are the factor if not given."""
    # In place: on one image this formula's memory traffic would outweigh its arithmetic.
    slopes = factor if gradients is None else gradients
    denominator = (activations.sum((2, 3), keepdim=True) * slopes).add_(2)
    terms = factor.relu().div_(denominator)
    return terms.nan_to_num_(nan=torch.nan, posinf=0, neginf=0)  # infinite only where the denominator is zero


def hires_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Σ_k g_k ⊙ A_k; where the head is linear in A, the exact contribution of each cell to the logit.

    Reference: Draelos & Carin 2020, arXiv:2011.08891.
    """
    return (gradients * activations).sum(1)


def xgrad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Σ_k w_k · A_k, w_k = Σ g_k A_k / Σ A_k; w_k = 0 where Σ A_k is negligible relative to Σ |A_k|.

    The sums run in float64: signed activations cancel, and in single precision rounding errors would remain.

    Reference: Fu et al. 2020, arXiv:2008.02312.
    """
    exact = activations.double()
    total = exact.sum((2, 3))
    weights = (gradients * exact).sum((2, 3)) / total
    vanishes = total.abs() <= 1e-7 * exact.abs().sum((2, 3))
    return weighted_sum(weights.masked_fill(vanishes, 0).to(activations.dtype), activations)


def layer_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Σ_k relu(g_k) ⊙ A_k; where A ≥ 0 equal to element-wise Grad-CAM, Σ_k relu(g_k ⊙ A_k).

    Reference: Jiang et al. 2021, doi:10.1109/TIP.2021.3089943.
    """
    return (gradients.relu() * activations).sum(1)


def logit_gradient(logits: Tensor, finding: int, leaf: Tensor, *, last: bool = False) -> Tensor:
    """∂ logits[:, finding] / ∂ leaf, of the leaf's shape; zeros where the logit does not depend on it.

    Images of a batch are independent in eval mode, so one call serves all. ``last`` frees the graph.
    """
    return logit_gradients(logits, finding, (leaf,), last=last)[0]


def logit_gradients(
    logits: Tensor, finding: int, leaves: Sequence[Tensor], *, last: bool = False
) -> tuple[Tensor, ...]:
    """``logit_gradient`` with respect to several tensors, from one backward pass."""
    direction = torch.zeros_like(logits)
    direction[:, finding] = 1
    return torch.autograd.grad(logits, leaves, direction, retain_graph=not last, materialize_grads=True)


def trunk_features(model: Classifier, images: Tensor, stage: str) -> Features:
    """The features of the trunk, with the feature map detached from the graph."""
    with torch.no_grad():
        features = model.trunk(images.clone() if images.is_inference() else images, stage)
    return replace(features, value=features.value.detach())


def weighted_sum(weights: Tensor, activations: Tensor) -> Tensor:
    """Weighted sum over channels: weights (B, C), activations (B, C, h, w) → (B, h, w)."""
    return torch.bmm(weights[:, None], activations.flatten(2)).view(-1, *activations.shape[2:])
