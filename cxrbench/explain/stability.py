"""Stability: whether a perturbation at the level of rounding changes what is displayed."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.display import heatmap

__all__ = ["ARRIVING", "PERTURBATION", "VISIBLE", "perturbed", "unchanged"]

PERTURBATION: Final = 1e-6  # relative, of the image: about what single precision rounds off on the way
# What layers make of it in a stage's activations and gradients, relative to their root mean square: ten times
# what was measured on the shipped models (docs/decisions.md), because two draws may miss a narrow pole.
ARRIVING: Final = 4e-5
VISIBLE: Final = 1 / 255  # on the scale [0, 1] that is drawn: one step of a picture of 8 bits
_DRAWS: Final = 2


def perturbed(activations: Tensor, gradients: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """What the formulas of CAMs read, as it might be had the image been another by ``PERTURBATION``.

    The noise is the same in every call, for every image and finding, so that many findings are perturbed as
    one alone would be. Its size is that of each image's activations and of each finding's gradients.

    Args:
        activations: (B, C, h, w).
        gradients: (B, K, C, h, w).

    Yields:
        Activations and gradients of the same shapes, with other noise each time.
    """
    random = torch.Generator().manual_seed(0)
    for _ in range(_DRAWS):
        noise = [torch.randn(activations.shape[1:], generator=random) for _ in range(2)]
        slopes = [_with(slope, noise[1]) for slope in gradients.unbind(1)]
        yield _with(activations, noise[0]), torch.stack(slopes).transpose(0, 1)


def unchanged(maps: Tensor, again: Tensor) -> Tensor:
    """Whether two computations of maps (B, K, h, w) are drawn alike, within ``VISIBLE``: (B, K) bool."""
    # A value that is no number is unlike any other.
    return (heatmap(maps) - heatmap(again)).abs().amax((2, 3)) <= VISIBLE


def _with(values: Tensor, noise: Tensor) -> Tensor:
    """Values (B, C, h, w) and noise (C, h, w), scaled to each image's root mean square."""
    sizes = torch.stack([image.square().mean().sqrt() for image in values])
    return values + ARRIVING * sizes.view(-1, 1, 1, 1) * noise
