"""The U-Net that segments the lungs; the only file here that needs torch."""

from functools import cache
from itertools import pairwise
from typing import Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.preprocess.lungs.window import CHANNELS, SIDE

__all__ = ["LungNet", "probability", "shipped"]

# Channels at 1/2, 1/4, … of the side. The last grid is 5 × 5: its receptive field is the whole film, which is
# needed to distinguish an opaque lung from the abdomen.
_WIDTHS: Final = (16, 32, 64, 96, 112)


class LungNet(nn.Module):
    """Small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) with batch normalisation and additive skips.

    The first convolution halves the resolution and the last upsampling restores it: lungs are smooth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = CHANNELS
        for width in _WIDTHS:
            self.down.append(nn.Sequential(_unit(before, width, stride=2), _unit(width, width)))
            before = width
        self.across = nn.Sequential(_unit(before, before), _unit(before, before))
        self.lift = nn.ModuleList(nn.Conv2d(wide, narrow, 1) for narrow, wide in pairwise(_WIDTHS))
        self.up = nn.ModuleList(
            nn.Sequential(_unit(width, width), _unit(width, width)) for width in _WIDTHS[:-1]
        )
        self.mark = nn.Conv2d(_WIDTHS[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, 1, S, S) of each pixel belonging to a lung, from prepared films (B, 2, S, S)."""
        skips = []
        x = images
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        x = x + self.across(x)
        for stage, lift, skip in zip(
            reversed(self.up), reversed(self.lift), reversed(skips[:-1]), strict=True
        ):
            x = stage(skip + _twice(lift(x)))
        return _twice(self.mark(x))


def _unit(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def _twice(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


@cache
def shipped() -> LungNet:
    """Load the network in assets/lungs, once per process; treat it as read-only.

    Raises:
        InputError: the weights are missing, or belong to another network.
    """
    path = assets.lungs() / "model.safetensors"
    if not path.is_file():
        raise InputError(
            f"The weights of the lung segmentation are missing: {path}; restore the folder assets/lungs, "
            "or set crop to none."
        )
    with torch.device("meta"):  # no initial weights, which would draw from the global random generator
        net = LungNet()
    try:
        stored = {name: _as_float(value) for name, value in load_file(path).items()}
        net.load_state_dict(stored, assign=True)
    except RuntimeError as error:
        raise InputError(
            f"{path} contains weights of another network; restore the folder assets/lungs."
        ) from error
    return net.eval().requires_grad_(False)


def _as_float(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def probability(prepared: Tensor) -> Tensor:
    """Probability (B, S, S) of each pixel belonging to a lung, from prepared films (B, 2, S, S)."""
    if prepared.shape[1:] != (CHANNELS, SIDE, SIDE):
        raise InputError(
            f"Films must be prepared as ({CHANNELS}, {SIDE}, {SIDE}); got {tuple(prepared.shape)}."
        )
    with torch.inference_mode():
        logits: Tensor = shipped()(prepared)
        return logits.sigmoid()[:, 0]
