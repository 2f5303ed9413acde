"""Robustness: how far a map changes where the image hardly does."""

from typing import Final

import torch
from torch import Tensor

from cxrbench.judge.judged_map import Explainer

__all__ = ["RADIUS", "SAMPLES", "max_sensitivity"]

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
    random = torch.Generator().manual_seed(seed)
    noise = torch.rand(samples, *image.shape, generator=random, dtype=torch.float64) * 2 - 1
    original = explain(image[None]).detach().double()
    size = original.norm()
    if not torch.isfinite(size) or size == 0:
        return float("nan")
    noisy = [image + radius * each.to(image) for each in noise]
    changes = [(explain(each[None]).detach().double() - original).norm() for each in noisy]
    largest = torch.stack(changes).max() / size  # NaN if one of them is
    return float(largest)
