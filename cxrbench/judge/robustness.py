"""Robustness: how far a map changes where the image hardly does."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from cxrbench.judge.judged_map import Explainer

__all__ = ["RADIUS", "SAMPLES", "largest_change", "max_sensitivity", "noisy_images"]

RADIUS: Final = 0.02  # of the uniform noise, in the units of the image
SAMPLES: Final = 10


def max_sensitivity(
    explain: Explainer,
    image: Tensor,
    *,
    radius: float = RADIUS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> float:
    """Largest relative change of a map under uniform noise: max ‖φ(x + δ) − φ(x)‖ / ‖φ(x)‖.

    Args:
        explain: images (N, C, H, W) → maps (N, h, w) of one finding by one method.
        image: x, (C, H, W).
        radius: δ is uniform in [−radius, radius], in the units of the image.
        samples: number of noisy images.
        seed: of the noise.

    Returns:
        0 or more; NaN if the map of the image is zero, or a map is not finite.

    Reference: Yeh et al. 2019, arXiv:1901.09392.
    """
    original = explain(image[None]).detach().numpy()
    if not np.isfinite(original).all() or not original.any():
        return float("nan")  # before the method is run again
    noisy = noisy_images(image, radius=radius, samples=samples, seed=seed)
    return largest_change(original, np.stack([explain(each[None]).detach().numpy() for each in noisy]))


def noisy_images(
    image: Tensor, *, radius: float = RADIUS, samples: int = SAMPLES, seed: int = 0
) -> list[Tensor]:
    """Copies of an image x, (C, H, W), with uniform noise; arguments are those of ``max_sensitivity``."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.rand(samples, *image.shape, generator=random, dtype=torch.float64) * 2 - 1
    return [image + radius * each.to(image) for each in noise]


def largest_change(original: np.ndarray, maps: np.ndarray) -> float:
    """Max ‖φ(x + δ) − φ(x)‖ / ‖φ(x)‖, from the map φ(x) (h, w) and those of noisy images (S, h, w).

    NaN if the map of the image is zero, or a map is not finite.
    """
    reference = np.asarray(original, np.float64)
    size = np.linalg.norm(reference)
    if not np.isfinite(size) or size == 0:
        return float("nan")
    changes = [np.linalg.norm(each - reference) for each in np.asarray(maps, np.float64)]
    return float(np.max(changes) / size)  # NaN if one of them is
