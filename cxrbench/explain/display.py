"""From signed relevance to displayed values, and the words for maps that show nothing."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.errors import InputError

__all__ = ["State", "heatmap", "state", "upsample"]

State = Literal["ok", "empty after ReLU", "constant", "undefined"]
_FLAT = 1e-6  # of the largest value: below it, differences are rounding


def upsample(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maps (B, K, h, w) on their own grid → relevance (B, K, H, W): bilinear, pixel centres aligned.

    ``align_corners=False``: a cell of the map covers the patch of the image that it was computed from.
    """
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def heatmap(relevance: Tensor, *, scale: Literal["map", "shared"] | float = "map") -> Tensor:
    """Relevance (..., H, W) → [0, 1]: what speaks for the finding, over the largest value.

    Args:
        relevance: signed; what is below zero becomes 0 (the ReLU of the CAM papers). NaN stays NaN.
        scale: the value that becomes 1: each ``map``'s own largest, the largest of all (``shared``: a map a
            thousand times weaker then looks it), or a number above 0; what exceeds it is cut.

    Raises:
        InputError: a scale that is neither.
    """
    positive = relevance.clamp(min=0)
    known = positive.nan_to_num(nan=0.0)
    if scale == "map":
        top = known.amax((-2, -1), keepdim=True)
    elif scale == "shared":
        top = known.amax()
    elif isinstance(scale, (int, float)) and scale > 0:
        top = torch.tensor(float(scale), dtype=relevance.dtype)
    else:
        raise InputError(f"scale must be 'map', 'shared' or a number above 0; got {scale!r}.")
    return (positive / top.where(top > 0, torch.ones_like(top))).clamp(max=1)


def state(relevance: Tensor) -> State:
    """What one map (h, w) can be said to show, in a word for its cell.

    ``undefined``: a value is not finite. ``empty after ReLU``: nothing speaks for the finding, and drawing
    would show nothing. ``constant``: the same everywhere, so it points nowhere.
    """
    if not bool(torch.isfinite(relevance).all()):
        return "undefined"
    low, high = float(relevance.min()), float(relevance.max())
    if high <= 0:
        return "empty after ReLU"
    if high - low <= _FLAT * high:
        return "constant"
    return "ok"
