"""Captum's LIME, KernelSHAP and gradients, given the random draws of the methods here.

Its own ``Lime``, ``KernelShap`` and ``GradientShap`` draw from the global generators of PyTorch and NumPy.
"""

from collections.abc import Iterator
from typing import Any, Final

import torch
from captum import attr as captum
from captum._utils.models.linear_model import SkLearnRidge
from torch import Tensor

from cxrbench.explain.gradient import baseline_images
from cxrbench.explain.peer_maps import SAMPLES, PeerInput, summed
from cxrbench.explain.superpixels import LimeParameters, coalitions, segmented

__all__ = ["ROWS", "SEGMENTS", "gradient_shap", "kernel_shap", "lime"]

SEGMENTS: Final = 8
ROWS: Final = 24  # images with hidden superpixels


def lime(case: PeerInput) -> Tensor:
    """Captum's ``Lime`` with the authors' kernel and ridge, from the same rows of visible superpixels."""
    regions = segmented(case.image[0], SEGMENTS)
    count, defaults = int(regions.max()) + 1, LimeParameters()
    visible = torch.rand(ROWS, count, generator=torch.Generator().manual_seed(0)) < 0.5
    visible[0] = True
    rows = iter(visible.long())

    def similarity(_: Any, __: Any, row: Tensor, **___: Any) -> Tensor:
        distance = 1 - (row.double().sum() / count).sqrt()
        return torch.exp(-((distance / defaults.width) ** 2)).sqrt()

    peer = captum.Lime(
        case.model,
        interpretable_model=SkLearnRidge(alpha=defaults.penalty),
        similarity_func=similarity,
        perturb_func=lambda *_, **__: next(rows)[None],
    )
    return _per_pixel(peer, case, regions, ROWS)


def kernel_shap(case: PeerInput) -> Tensor:
    """Captum's ``KernelShap``, from the same coalitions; it adds the full and the empty one."""
    regions = segmented(case.image[0], SEGMENTS)
    count = int(regions.max()) + 1
    visible, _ = coalitions(count, ROWS, torch.Generator().manual_seed(0))

    def rows(*_: Any, **__: Any) -> Iterator[Tensor]:
        yield from torch.cat([torch.ones(1, count), torch.zeros(1, count), visible]).long().split(1)

    peer = captum.KernelShap(case.model)
    peer.perturb_func = rows
    return _per_pixel(peer, case, regions, len(visible) + 2)


def gradient_shap(case: PeerInput) -> Tensor:
    """Captum's gradients at the same random points between black and the image: (H, W)."""
    random = torch.Generator().manual_seed(0)
    start = baseline_images(case.model, case.image, "black")
    difference, total = case.image - start, torch.zeros(())
    for _ in range(SAMPLES):
        alpha = torch.rand((), generator=random)
        torch.randn(case.image.shape[1:], generator=random)  # the noise, of which there is none
        point = (start + alpha * difference).to(memory_format=torch.channels_last).requires_grad_()
        gradient = captum.Saliency(case.model).attribute(point, case.finding, abs=False)
        total = total + summed(gradient * difference)
    return total / SAMPLES


def _per_pixel(peer: Any, case: PeerInput, regions: Tensor, samples: int) -> Tensor:
    """The coefficients of a fit, each divided among the pixels of its superpixel: (H, W)."""
    coefficients = peer.attribute(
        case.image,
        baselines=baseline_images(case.model, case.image, "black"),
        target=case.finding,
        feature_mask=regions[None, None].expand_as(case.image),
        n_samples=samples,
        perturbations_per_eval=8,
    )
    sizes = regions.unique(return_counts=True)[1]
    per_pixel: Tensor = coefficients[0, 0] / sizes[regions]
    return per_pixel
