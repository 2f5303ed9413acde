"""Guided backpropagation and guided Grad-CAM: the gradient through ReLUs that let positive gradients pass."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from cxrbench.explain.cam import cam_maps, grad_cam
from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import Draft, draft_of
from cxrbench.explain.passes import Passes, StageParameters
from cxrbench.explain.private_copy import private_copy, replace_modules
from cxrbench.explain.saliency import image_gradients

__all__ = ["GuidedReLU", "guided_backprop", "guided_grad_cam"]


class _Rectify(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        output: Tensor = values.relu()
        context.save_for_backward(output)
        return output

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (output,) = context.saved_tensors
        passed: Tensor = gradient.relu() * (output > 0)
        return passed


class GuidedReLU(nn.Module):
    """A ReLU whose gradient passes only where it is positive, as is the input."""

    def forward(self, values: Tensor) -> Tensor:
        """Rectify values of any shape; never in place."""
        rectified: Tensor = _Rectify.apply(values)
        return rectified


def guided_backprop(passes: Passes, parameters: object) -> Iterator[Draft]:
    """∂y/∂x with every ReLU's gradient replaced by relu(g) ⊙ [input > 0], summed over channels.

    It runs on a private copy of the model, which shares its weights; the model is not changed.

    Reference: Springenberg et al. 2015, arXiv:1412.6806.
    """
    yield draft_of(_guided(passes))


def guided_grad_cam(passes: Passes, parameters: StageParameters) -> Iterator[Draft]:
    """Guided backpropagation, each pixel weighted by Grad-CAM enlarged and scaled to [0, 1].

    Reference: Selvaraju et al. 2017, arXiv:1610.02391.
    """
    coarse = cam_maps(grad_cam, *passes.features(parameters.stage))
    fine = _guided(passes)
    with torch.inference_mode(mode=False), torch.no_grad():
        size = tuple(passes.images.shape[2:])
        # Enlarged one by one, so that a finding has the bits that it has alone.
        weights = torch.cat([heatmap(upsample(one, size)) for one in coarse.split(1, dim=1)], dim=1)
        maps = fine * weights
    yield draft_of(maps)


def _guided(passes: Passes) -> Tensor:
    """Guided gradients summed over channels, (B, K, H, W)."""
    model = private_copy(passes.model)
    replace_modules(model, nn.ReLU, lambda _: GuidedReLU())
    with torch.inference_mode(mode=False):
        gradients = image_gradients(model, passes.findings.tolist(), passes.plain_images)
        return gradients.sum(2).transpose(0, 1)
