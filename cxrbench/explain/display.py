"""From signed relevance on a map's own grid to displayed values."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["heatmap", "upsample"]


def upsample(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize maps (B, K, h, w) to relevance (B, K, H, W) by bilinear interpolation.

    ``align_corners=False``: a cell of the map covers the patch of the image that it was computed from.
    """
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def heatmap(relevance: Tensor) -> Tensor:
    """Scale relevance (..., H, W) to [0, 1]: its positive part, divided by the largest value of each map.

    Args:
        relevance: signed; negative values become 0 (the ReLU of the CAM papers), NaN stays NaN.
    """
    positive = relevance.clamp(min=0)
    top = positive.nan_to_num(nan=0.0).amax((-2, -1), keepdim=True)
    return (positive / top.where(top > 0, torch.ones_like(top))).clamp(max=1)
