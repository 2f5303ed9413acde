"""Stability: whether a perturbation at the level of rounding changes what is displayed."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.display import heatmap

__all__ = ["FEATURE_PERTURBATION", "PERTURBATION", "VISIBLE", "perturbed", "unchanged"]

PERTURBATION: Final = 1e-6  # relative, of the image: about the rounding error of single precision
# The resulting perturbation of a stage's activations and gradients, relative to their root mean square: ten
# times the value measured on the shipped models (docs/decisions.md), as two draws may miss a narrow pole.
FEATURE_PERTURBATION: Final = 4e-5
VISIBLE: Final = 1 / 255  # on the displayed scale [0, 1]: one step of an 8-bit picture
_DRAWS: Final = 2


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


def _add_noise(values: Tensor, noise: Tensor) -> Tensor:
    """Add noise (C, h, w) to values (B, C, h, w), scaled by each image's root mean square."""
    scales = torch.stack([image.square().mean().sqrt() for image in values])
    return values + FEATURE_PERTURBATION * scales.view(-1, 1, 1, 1) * noise
