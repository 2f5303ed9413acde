"""Grey images for networks that were trained on three colour channels."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

__all__ = ["GreyToColour", "colour_state", "take_grey_in_colour"]


class GreyToColour(nn.Module):
    """A grey image (B, 1, H, W) three times, each normalised by its own numbers: (B, 3, H, W).

    Not folded into the first convolution, because that pads with zeros, which stand for another grey in each
    channel: at the border, no filter of one channel gives the same values.

    Attributes:
        mean: (3,), subtracted from the image.
        std: (3,), divisors after the subtraction.
    """

    in_channels: Final = 1

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("std", torch.ones(3))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, H, W) → (B, 3, H, W)."""
        return (images - self.mean[:, None, None]) / self.std[:, None, None]


def take_grey_in_colour(backbone: nn.Module) -> None:
    """Replace the first convolution of a network for grey images by one of three channels, made before it."""
    path, old = next((path, part) for path, part in backbone.named_modules() if isinstance(part, nn.Conv2d))
    new = nn.Conv2d(
        3,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    parent, _, child = path.rpartition(".")
    setattr(backbone.get_submodule(parent), child, nn.Sequential(GreyToColour(), new))


def colour_state(
    backbone: nn.Module, state: Mapping[str, Tensor], mean: Sequence[float], std: Sequence[float]
) -> dict[str, Tensor]:
    """The state dict of a network for colour images as that of ``backbone``, which takes grey ones.

    Args:
        backbone: a network changed by ``take_grey_in_colour``.
        state: of the same network for three channels.
        mean: of each channel.
        std: standard deviation of each channel.
    """
    first = next(path for path, part in backbone.named_modules() if isinstance(part, GreyToColour))
    layer = first.rpartition(".")[0]
    renamed = {
        f"{layer}.1.{name.removeprefix(f'{layer}.')}" if name.startswith(f"{layer}.") else name: value
        for name, value in state.items()
    }
    return {f"{first}.mean": torch.tensor(mean), f"{first}.std": torch.tensor(std), **renamed}
