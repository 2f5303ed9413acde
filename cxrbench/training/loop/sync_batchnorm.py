"""Batch norms over the batch of all processes, on devices that PyTorch's SyncBatchNorm does not serve."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["share_norms"]


def share_norms(model: nn.Module) -> nn.Module:
    """Make every batch norm of a model take its statistics over all processes; in place.

    PyTorch's ``SyncBatchNorm`` refuses CPUs. Names and buffers stay, so a state dict fits both ways.

    Returns:
        The model.
    """
    for module in model.modules():
        kind = type(module)
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = type(kind.__name__, (kind,), {"forward": _shared(kind.forward)})
    return model


def _shared(alone: Callable[[Any, Tensor], Tensor]) -> Callable[[Any, Tensor], Tensor]:
    def forward(self: Any, x: Tensor) -> Tensor:
        if not self.training or not dist.is_initialized() or dist.get_world_size() == 1:
            return alone(self, x)
        x = _normalised(self, x)
        for name in ("drop", "act"):  # timm's norms bring their activation
            x = getattr(self, name)(x) if hasattr(self, name) else x
        return x

    return forward


def _normalised(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """``(x − mean) / √(var + ε) · weight + bias``, mean and variance over all processes' batch and pixels."""
    values = x.float()
    count = values.new_tensor([float(values.numel() // values.shape[1])])
    sums = _Sum.apply(torch.cat([values.sum((0, 2, 3)), count]))
    mean, total = sums[:-1] / sums[-1], sums[-1]
    # Around the mean, in a second round: a difference of squares would lose digits.
    centred = values - mean[:, None, None]
    variance = _Sum.apply((centred**2).sum((0, 2, 3))) / total
    with torch.no_grad():
        _follow(norm, mean, variance * total / (total - 1))
    scale = torch.rsqrt(variance + norm.eps)
    scale = scale if norm.weight is None else scale * norm.weight
    shifted: Tensor = centred * scale[:, None, None]
    shifted = shifted if norm.bias is None else shifted + norm.bias[:, None, None]
    return shifted.to(x.dtype)


def _follow(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Move the running statistics, as PyTorch's norms do: the variance is the unbiased one."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)


class _Sum(torch.autograd.Function):
    """The sum over processes; so is its gradient's, since every process's output depends on every input."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone().contiguous()
        dist.all_reduce(total)
        return total
