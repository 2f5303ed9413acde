"""Perturbation of the image: occlusion and RISE. All findings share the forward passes; no gradients."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.explain.gradient import Draft, baseline_images, draft_of
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes

__all__ = ["OcclusionParameters", "RiseParameters", "occlusion", "rise", "rise_masks"]

_CHUNK: Final = 16  # changed images per forward pass

_BASELINE: Final = "What hidden pixels are replaced by: black, the image's mean grey, or the blurred image."


@dataclass(frozen=True)
class OcclusionParameters:
    """Of occlusion."""

    window: int = whole(32, 1, 512, "Side of the square that is hidden.", unit="pixels of the input")
    stride: int = whole(16, 1, 512, "From one square to the next.", unit="pixels of the input")
    baseline: str = option("black", ("black", "mean", "blur"), _BASELINE)


@dataclass(frozen=True)
class RiseParameters:
    """Of RISE."""

    masks: int = whole(1000, 2, 20000, "Random masks; more of them make the map less grainy and take longer.")
    cells: int = whole(8, 2, 64, "Cells of a mask along each side, before it is enlarged.")
    visible: float = number(0.5, 0.01, 0.99, "Probability that a cell of a mask is visible.")
    baseline: str = option("black", ("black", "mean", "blur"), _BASELINE)
    seed: int = whole(0, 0, 999_999, "Of the masks; the same seed gives the same map.")


def occlusion(passes: Passes, parameters: OcclusionParameters) -> Iterator[Draft]:
    """The fall of the logit where a square is hidden, averaged over the squares that cover a pixel.

    The last row and column of squares are moved back so that they end at the border: each pixel is covered.

    Reference: Zeiler & Fergus 2014, arXiv:1311.2901.
    """
    images = passes.plain_images
    start = baseline_images(passes.model, images, parameters.baseline)
    places = _windows(images.shape[2], images.shape[3], parameters.window, parameters.stride)
    size = max(1, _CHUNK // len(images))
    with torch.inference_mode(mode=False), torch.no_grad():
        whole_logits = passes.logits(images)
        total = images.new_zeros(len(images), len(passes.findings), *images.shape[2:])
        coverage = images.new_zeros(images.shape[2:])
    for first in range(0, len(places), size):
        some = places[first : first + size]
        with torch.inference_mode(mode=False), torch.no_grad():
            changed = images.repeat(len(some), 1, 1, 1).unflatten(0, (len(some), len(images)))
            for copy, (rows, columns) in zip(changed, some, strict=True):
                copy[:, :, rows, columns] = start[:, :, rows, columns]
            falls = whole_logits - passes.logits(changed.flatten(0, 1)).unflatten(0, changed.shape[:2])
            for fall, (rows, columns) in zip(falls, some, strict=True):
                total[:, :, rows, columns] += fall[:, :, None, None]
                coverage[rows, columns] += 1
            maps = total / coverage.clamp(min=1)
        yield draft_of(maps, done=first + len(some), total=len(places))


def rise(passes: Passes, parameters: RiseParameters) -> Iterator[Draft]:
    """Σ_i (y_i − ȳ) · M_i / (N · p), y_i the logit of the image seen through mask M_i, ȳ their mean.

    The published sum has y_i alone. Subtracting the mean changes the map by a multiple of the masks' own sum,
    which is the same for every image, and lets its sign say whether seeing a pixel raises the logit.

    Reference: Petsiuk et al. 2018, arXiv:1806.07421.
    """
    images = passes.plain_images
    start = baseline_images(passes.model, images, parameters.baseline)
    height, width = images.shape[2:]
    random = torch.Generator().manual_seed(parameters.seed)
    size = max(1, _CHUNK // len(images))
    with torch.inference_mode(mode=False):
        weighted = images.new_zeros(len(images), len(passes.findings), height, width)
        logits, seen = images.new_zeros(len(images), len(passes.findings)), images.new_zeros(height, width)
    done = 0
    while done < parameters.masks:
        count = min(size, parameters.masks - done)
        with torch.inference_mode(mode=False), torch.no_grad():
            masks = rise_masks(count, (height, width), parameters, random).to(images)
            masked = start + (images - start) * masks[:, None, None]  # (n, B, C, H, W)
            scores = passes.logits(masked.flatten(0, 1)).unflatten(0, (count, len(images)))  # (n, B, K)
            for place in range(scores.shape[2]):  # one by one: a finding has the bits that it has alone
                score = scores[:, :, place].T.contiguous()
                weighted[:, place] += torch.tensordot(score, masks, dims=1)
                logits[:, place] += score.sum(1)
            seen += masks.sum(0)
            done += count
            mean = (logits / done)[..., None, None]
            maps = (weighted - mean * seen) / (done * parameters.visible)
        yield draft_of(maps, done=done, total=parameters.masks)


def rise_masks(
    count: int, size: tuple[int, int], parameters: RiseParameters, random: torch.Generator
) -> Tensor:
    """Masks (count, H, W) in [0, 1]: random cells, one more than needed, enlarged and cropped at random."""
    height, width = size
    cells = parameters.cells
    cell = (-(-height // cells), -(-width // cells))
    masks = []
    for _ in range(count):  # one by one, so that the masks do not depend on how many are drawn at a time
        grid = (torch.rand(1, 1, cells + 1, cells + 1, generator=random) < parameters.visible).float()
        top, left = (int(torch.randint(0, side, (), generator=random)) for side in cell)
        enlarged = F.interpolate(
            grid, size=((cells + 1) * cell[0], (cells + 1) * cell[1]), mode="bilinear", align_corners=False
        )
        masks.append(enlarged[0, 0, top : top + height, left : left + width])
    return torch.stack(masks)


def _windows(height: int, width: int, window: int, stride: int) -> list[tuple[slice, slice]]:
    """The squares, row by row; they cover every pixel."""
    across = _slices(width, window, stride)
    return [(rows, columns) for rows in _slices(height, window, stride) for columns in across]


def _slices(length: int, window: int, stride: int) -> list[slice]:
    window = min(window, length)
    stride = min(stride, window)  # squares further apart than their side would leave gaps
    starts = [*range(0, length - window, stride), length - window]
    return [slice(start, start + window) for start in starts]
