"""GradientSHAP: the gradient at random points between a baseline and noisy copies of the image."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.gradient import Draft, baseline_images, draft_of
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes
from cxrbench.explain.saliency import image_gradients

__all__ = ["GradientShapParameters", "gradient_shap"]

_CHUNK: Final = 10  # points per forward pass, as many as path points of integrated gradients


@dataclass(frozen=True)
class GradientShapParameters:
    """Of GradientSHAP."""

    samples: int = whole(50, 1, 1000, "Random points between the baseline and the image.")
    noise: float = number(
        0.0, 0.0, 1.0, "Standard deviation of the noise, as a fraction of the image's range of values."
    )
    baseline: str = option("black", ("black", "mean", "blur"), "The image where the paths start.")
    seed: int = whole(0, 0, 999_999, "Of points and noise; the same seed gives the same map.")


def gradient_shap(passes: Passes, parameters: GradientShapParameters) -> Iterator[Draft]:
    """The mean of (x + ε − x′) ⊙ ∇y(x′ + α (x + ε − x′)) over random α in [0, 1] and noise ε.

    Captum draws α from NumPy's global generator and ε from PyTorch's, which other threads use as well; here
    both come from a generator of their own. They are the same for every image of a batch.

    Reference: Lundberg & Lee 2017, arXiv:1705.07874 (their GradientExplainer).
    """
    images = passes.plain_images
    start = baseline_images(passes.model, images, parameters.baseline)
    random = torch.Generator().manual_seed(parameters.seed)
    with torch.inference_mode(mode=False), torch.no_grad():
        rise = passes.logits(images) - passes.logits(start)
        spread = parameters.noise * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
        total = images.new_zeros(len(passes.findings), *images.shape[:1], *images.shape[2:])
    size, done = max(1, _CHUNK // len(images)), 0
    while done < parameters.samples:
        with torch.inference_mode(mode=False), torch.no_grad():
            count = min(size, parameters.samples - done)
            terms = [_term(images, start, spread, random) for _ in range(count)]
            points, differences = (torch.cat(parts) for parts in zip(*terms, strict=True))
            gradients = image_gradients(passes.network, passes.findings.tolist(), points)
            values = (gradients * differences).sum(2).unflatten(1, (count, len(images)))
            for value in values.unbind(1):
                total = total + value
            done += count
            maps = (total / done).transpose(0, 1)
            error = (maps.double().sum((2, 3)) - rise) / rise.abs()
            # With noise the sum belongs to the noisy images, and there is nothing to compare it with.
            error = error.where((rise != 0) & torch.tensor(parameters.noise == 0), torch.nan)
        yield draft_of(maps, error, done=done, total=parameters.samples)


def _term(images: Tensor, start: Tensor, spread: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random point between the baseline and a noisy copy of each image, and their difference."""
    alpha = torch.rand((), generator=random).to(images)
    noise = torch.randn(images.shape[1:], generator=random).to(images)
    difference = images + spread * noise - start
    return start + alpha * difference, difference
