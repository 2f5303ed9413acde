"""From signed relevance on a map's own grid to displayed values."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["heatmap", "upsample"]


def upsample(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maps (B, K, h, w) on their own grid → relevance (B, K, H, W): bilinear, pixel centres aligned.

    ``align_corners=False``: a cell of the map covers the patch of the image that it was computed from.
    """
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def heatmap(relevance: Tensor) -> Tensor:
    """Relevance (..., H, W) → [0, 1]: what raises the score, over the map's largest value.

    Args:
        relevance: signed; what is below zero becomes 0 (the ReLU of the CAM papers). NaN stays NaN.
    """
    positive = relevance.clamp(min=0)
    top = positive.nan_to_num(nan=0.0).amax((-2, -1), keepdim=True)
    return (positive / top.where(top > 0, torch.ones_like(top))).clamp(max=1)
