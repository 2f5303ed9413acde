"""Captum's rules for ReLUs and max pools (guided backpropagation, DeepLIFT), on copies where its hooks work.

Its hooks hang on tensors. A module's hook on its input hangs on the same tensor as the hook on the output of
the module before it, which was set earlier and therefore runs first. So where two modules with a rule follow
each other, the first is given the ordinary gradient of the second, and the second's rule is lost. Where the
windows of a max pool overlap, ``max_unpool2d`` keeps one of several parts that belong to a pixel. The copies
have a tensor of its own before every such module, and pools whose windows lie side by side.
"""

from typing import Any

import torch
from captum import attr as captum
from torch import Tensor, nn
from torch.nn import functional as F

from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import baseline_images
from cxrbench.explain.peer_maps import PeerInput, grad_cam, summed
from cxrbench.explain.private_copy import private_copy, replace_modules

__all__ = ["OwnInput", "WindowsApart", "deep_lift", "guided_backprop", "guided_grad_cam"]


class OwnInput(nn.Module):
    """Hand a tensor on as another one, with which hooks on it are its own."""

    def forward(self, values: Tensor) -> Tensor:
        """Values of any shape, unchanged."""
        return values.view_as(values)


class WindowsApart(nn.Module):
    """Copy the windows of a max pool side by side, so that they do not overlap.

    Args:
        pool: an ``nn.MaxPool2d`` with square windows, without dilation.
    """

    def __init__(self, pool: Any) -> None:
        super().__init__()
        assert pool.dilation == 1
        assert not pool.ceil_mode
        self.side, self.stride, self.padding = int(pool.kernel_size), int(pool.stride), int(pool.padding)

    def forward(self, values: Tensor) -> Tensor:
        """Maps (B, C, H, W) → (B, C, h·k, w·k): window k × k for each of h × w cells."""
        lowest = float(values.detach().min()) - 1  # such that padding is no maximum
        padded = F.pad(values, [self.padding] * 4, value=lowest)
        windows = padded.unfold(2, self.side, self.stride).unfold(3, self.side, self.stride)
        batch, channels, height, width = windows.shape[:4]
        return windows.transpose(3, 4).reshape(batch, channels, height * self.side, width * self.side)


def guided_backprop(case: PeerInput) -> Tensor:
    """Captum's ``GuidedBackprop``, summed over channels: (H, W)."""
    model = private_copy(case.model)
    replace_modules(model, nn.ReLU, lambda _: nn.ReLU())  # in place, the hooks would miss their input
    return summed(captum.GuidedBackprop(model).attribute(case.leaf, target=case.finding))


def guided_grad_cam(case: PeerInput) -> Tensor:
    """Captum's guided backpropagation × its Grad-CAM, enlarged and scaled to [0, 1]: (H, W)."""
    coarse = upsample(grad_cam(case)[None, None], tuple(case.image.shape[2:]))
    return guided_backprop(case) * heatmap(coarse)[0, 0]


def deep_lift(case: PeerInput) -> Tensor:
    """Captum's ``DeepLift`` from black, summed over channels: (H, W)."""
    model = private_copy(case.model)
    replace_modules(model, nn.ReLU, lambda _: nn.Sequential(OwnInput(), nn.ReLU()))
    replace_modules(model, nn.MaxPool2d, lambda pool: _pooled(WindowsApart(pool)))
    start = baseline_images(case.model, case.image, "black").to(memory_format=torch.channels_last)
    return summed(captum.DeepLift(model).attribute(case.leaf, start, target=case.finding))


def _pooled(windows: WindowsApart) -> nn.Module:
    return nn.Sequential(windows, nn.MaxPool2d(windows.side))
