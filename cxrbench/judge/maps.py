"""Maps as arrays: enlarged to the image, their positive part, and the order of their pixels."""

import numpy as np
import torch
from torch.nn import functional as F

from cxrbench.errors import InputError
from cxrbench.explain import upsample

__all__ = [
    "check_region",
    "defined",
    "enlarged",
    "pixel_order",
    "positive_part",
    "reduced_mask",
    "share_in_top",
]


def enlarged(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize maps (..., h, w) to (..., H, W) by bilinear interpolation (``align_corners=False``).

    Args:
        maps: relevance on the method's own grid, floats; their precision is kept.
        size: (H, W) in pixels: of the mask that the map is compared with.
    """
    values = np.asarray(maps)
    flat = torch.from_numpy(np.ascontiguousarray(values.reshape(1, -1, *values.shape[-2:])))
    resized: np.ndarray = upsample(flat, size).numpy().reshape(*values.shape[:-2], *size)
    return resized


def reduced_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask (H, W) at another size, (h, w) bool: pixels that it half covers, or else those that it touches.

    So a finding smaller than a pixel is not lost.
    """
    if mask.shape == tuple(size):
        return np.asarray(mask, bool)
    cover = F.interpolate(torch.from_numpy(np.asarray(mask, np.float32))[None, None], size=size, mode="area")
    half = cover[0, 0] >= 0.5
    reduced: np.ndarray = (half if half.any() else cover[0, 0] > 0).numpy()
    return reduced


def positive_part(relevance: np.ndarray) -> np.ndarray:
    """Relevance with negative values set to 0: what a heat map shows."""
    positive: np.ndarray = np.maximum(relevance, 0)
    return positive


def defined(relevance: np.ndarray) -> bool:
    """Whether a map has pixels and all of them are finite; no criterion is defined for another one."""
    return relevance.size > 0 and bool(np.isfinite(relevance).all())


def check_region(relevance: np.ndarray, region: np.ndarray, name: str = "mask") -> np.ndarray:
    """The region as bool, after a check that it has the map's shape.

    Raises:
        InputError: the shapes differ.
    """
    mask = np.asarray(region, bool)
    if relevance.ndim != 2 or mask.shape != relevance.shape:
        raise InputError(
            f"The {name} must have the shape of the relevance, (H, W); got {mask.shape} and "
            f"{relevance.shape}: enlarge the map to the size of the {name} first."
        )
    return mask


def pixel_order(relevance: np.ndarray, seed: int = 0) -> np.ndarray:
    """Flat indices (H·W,) of the pixels, most relevant first; equal values in random order.

    Args:
        relevance: (H, W), signed.
        seed: of the order of pixels with equal values. Enlarged maps have plateaus and zeros: in the order of
            the array they would be visited from the top left.
    """
    values = relevance.ravel()
    random = np.random.default_rng(seed).permutation(values.size)
    return random[np.argsort(-values[random], kind="stable")]


def share_in_top(relevance: np.ndarray, region: np.ndarray, count: int) -> float:
    """Expected share of the ``count`` most relevant pixels that lie in a region, ties broken at random.

    Args:
        relevance: (H, W).
        region: (H, W) bool.
        count: number of pixels, 1 … H·W.
    """
    values = relevance.ravel()
    inside = region.ravel()
    lowest = np.partition(values, values.size - count)[values.size - count]
    above, tied = values > lowest, values == lowest
    drawn = (count - above.sum()) / tied.sum()
    return float(((above & inside).sum() + drawn * (tied & inside).sum()) / count)
