"""Stability: whether a perturbation at the level of rounding changes what is displayed.

The maps are computed again from perturbed features, unless the spread of the map that follows from the
formula's derivatives already says that nothing visible can change.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.cam import Formula, grad_cam, grad_cam_plus_plus, hires_cam, layer_cam
from cxrbench.explain.display import heatmap

__all__ = [
    "FEATURE_PERTURBATION",
    "PERTURBATION",
    "SPREADS",
    "VISIBLE",
    "certainly_unchanged",
    "perturbed",
    "unchanged",
]

PERTURBATION: Final = 1e-6  # relative, of the image: about the rounding error of single precision
# The resulting perturbation of a stage's activations and gradients, relative to their root mean square: ten
# times the value measured on the shipped models (docs/decisions.md), as two draws may miss a narrow pole.
FEATURE_PERTURBATION: Final = 4e-5
VISIBLE: Final = 1 / 255  # on the displayed scale [0, 1]: one step of an 8-bit picture
_DRAWS: Final = 2
# Standard deviations that no cell of a map exceeds: the normal distribution does in 2 of 10⁹.
_LIMIT: Final = 6


def perturbed(activations: Tensor, gradients: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Activations and gradients as if the image were perturbed by ``PERTURBATION``.

    The noise is the same in every call and for every image and finding, so that several findings are
    perturbed as one alone would be. It is scaled by each image's activations and each finding's gradients.

    Args:
        activations: (B, C, h, w).
        gradients: (B, K, C, h, w).

    Yields:
        Activations and gradients of the same shapes, each time with other noise.
    """
    random = torch.Generator().manual_seed(0)
    for _ in range(_DRAWS):
        noise = [torch.randn(activations.shape[1:], generator=random) for _ in range(2)]
        noisy_gradients = [_add_noise(gradient, noise[1]) for gradient in gradients.unbind(1)]
        yield _add_noise(activations, noise[0]), torch.stack(noisy_gradients).transpose(0, 1)


def unchanged(maps: Tensor, again: Tensor) -> Tensor:
    """Whether two computations of maps (B, K, h, w) are displayed alike, within ``VISIBLE``: (B, K) bool."""
    # NaN is not equal to any value.
    return (heatmap(maps) - heatmap(again)).abs().amax((2, 3)) <= VISIBLE


def certainly_unchanged(maps: Tensor, spread: Tensor) -> Tensor:
    """Whether no perturbation can be displayed, from the spread of maps (B, K, h, w): (B, K) bool.

    False says nothing: the spread is an upper bound.

    Args:
        maps: signed, (B, K, h, w).
        spread: as from ``SPREADS``, (B, K, h, w).
    """
    change = _LIMIT * FEATURE_PERTURBATION * spread.amax((2, 3))
    largest = maps.clamp(min=0).amax((2, 3))
    # A cell's value changes by at most `change`, and so does the largest one, by which it is divided.
    return 2 * change <= VISIBLE * (largest - change)


def _root_mean_square(values: Tensor, first: int) -> Tensor:
    """Over all axes from ``first`` on, which are kept with length 1."""
    axes = tuple(range(first, values.dim()))
    norm: Tensor = torch.linalg.vector_norm(values, dim=axes, keepdim=True)
    return norm / math.sqrt(values[(0,) * first].numel())


def _sum_spread(activations: Tensor, weights: Tensor, weight_spread: Tensor) -> Tensor:
    """Spread of Σ_k w_k A_k, from weights and their spread, (B, K, C): (B, K, h, w)."""
    of_weights = torch.bmm(weight_spread.square(), activations.square().flatten(2))
    of_activations = _root_mean_square(activations, 1)[:, 0].square() * weights.square().sum(2, keepdim=True)
    return (of_weights + of_activations).sqrt().view(*weights.shape[:2], *activations.shape[2:])


def _grad_cam_spread(activations: Tensor, gradients: Tensor) -> Tensor:
    cells = activations[0, 0].numel()
    spread = _root_mean_square(gradients, 2)[..., 0, 0] / cells**0.5
    return _sum_spread(activations, gradients.mean((3, 4)), spread.expand(gradients.shape[:3]))


def _plus_plus_spread(activations: Tensor, gradients: Tensor) -> Tensor:
    """Of Grad-CAM++, where 2 + S·g ≥ 1 in all cells with g > 0; infinite elsewhere.

    With d the least value of 2 + S·g in a channel and g₊ the largest of g, a term g / (2 + S·g) is at most
    g₊ / d, and its derivatives with respect to g and S are at most 2 / d² and g₊² / d². So only the largest
    gradients are read: passes over all of them would cost as much as the perturbed maps.
    """
    cells = activations[0, 0].numel()
    top = gradients.amax((3, 4)).clamp(min=0)  # (B, K, C)
    least = 2 + activations.sum((2, 3)).clamp(max=0)[:, None] * top
    of_gradients = _root_mean_square(gradients, 2)[..., 0, 0] * 2 / least.square()
    of_totals = _root_mean_square(activations, 1)[..., 0] * cells * (top / least).square()
    spread = cells**0.5 * (of_gradients.square() + of_totals.square()).sqrt()
    maps = _sum_spread(activations, cells * top / least, spread)
    return maps.masked_fill((least < 1).any(2)[..., None, None], torch.inf)


def _product_spread(activations: Tensor, gradients: Tensor) -> Tensor:
    """Of Σ_k g_k ⊙ A_k; with relu(g_k) it is no larger."""
    of_gradients = _root_mean_square(gradients, 2)[:, :, 0].square() * activations.square().sum(1)[:, None]
    of_activations = _root_mean_square(activations, 1)[:, 0].square()[:, None]
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=2)
    return (of_gradients + of_activations * norms.square()).sqrt()


# Formula → activations (B, C, h, w) and gradients (B, K, C, h, w) → upper bound of the standard deviation of
# the maps' cells under perturbations, in units of ``FEATURE_PERTURBATION``, (B, K, h, w).
SPREADS: Final[Mapping[Formula, Callable[[Tensor, Tensor], Tensor]]] = {
    grad_cam: _grad_cam_spread,
    grad_cam_plus_plus: _plus_plus_spread,
    hires_cam: _product_spread,
    layer_cam: _product_spread,
}


def _add_noise(values: Tensor, noise: Tensor) -> Tensor:
    """Add noise (C, h, w) to values (B, C, h, w), scaled by each image's root mean square."""
    scales = torch.stack([image.square().mean().sqrt() for image in values])
    return values + FEATURE_PERTURBATION * scales.view(-1, 1, 1, 1) * noise
