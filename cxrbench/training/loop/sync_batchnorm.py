"""Batch norms over the batch of all processes, on devices that PyTorch's SyncBatchNorm does not serve."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["SharedBatchNorm2d", "share_norms"]


def share_norms(model: nn.Module) -> nn.Module:
    """Replace every ``BatchNorm2d`` of a model by a ``SharedBatchNorm2d`` with the same parameters.

    PyTorch's ``SyncBatchNorm.convert_sync_batchnorm`` does the same for GPUs, and refuses CPUs.

    Args:
        model: its submodules are replaced in place; parameters and buffers stay the same tensors.

    Returns:
        The model; a new module only where the model is itself a batch norm.
    """
    if isinstance(model, nn.BatchNorm2d):
        return SharedBatchNorm2d(model)
    for name, child in model.named_children():
        setattr(model, name, share_norms(child))
    return model


class SharedBatchNorm2d(nn.BatchNorm2d):
    """A batch norm whose statistics in training are of all processes' batches together.

    In eval mode, and where there is one process, it is the norm that it replaces. Names of parameters and
    buffers stay, so a state dict fits both ways.

    Args:
        norm: the one to replace, also one of timm's, which bring their dropout and activation.
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.drop = getattr(norm, "drop", nn.Identity())
        self.act = getattr(norm, "act", nn.Identity())
        self.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise images or features (B, C, H, W)."""
        alone = not dist.is_initialized() or dist.get_world_size() == 1
        x = super().forward(x) if alone or not self.training else _normalised(self, x)
        activated: Tensor = self.act(self.drop(x))
        return activated


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
