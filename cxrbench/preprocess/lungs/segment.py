"""The lung mask of a radiograph, and whether it is reliable."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cxrbench.errors import InputError
from cxrbench.preprocess.lungs.masks import as_drawn, clean, components
from cxrbench.preprocess.lungs.window import prepare

__all__ = ["Lungs", "crop_box", "probabilities", "segment", "share_inside"]

_GRID: Final = 512  # masks are cleaned on at most this many pixels per side
_LONGEST: Final = 1.6  # largest aspect ratio; films beyond it are padded, so that lungs are not distorted
_AREA: Final = (0.08, 0.75)  # range of the mask's share of the film
_BALANCE: Final = 0.35  # least area of the smaller lung, relative to the larger one
_CONFIDENT: Final = 0.8  # least mean probability inside the mask
_AGREED: Final = 0.6  # least IoU of each pass with the mask


@dataclass(frozen=True)
class Lungs:
    """The lungs of one film.

    Attributes:
        mask: (H, W) bool, from the apices to the domes of the diaphragm, and medially to the spine: it
            includes lung behind the heart, as most manual annotations do.
        sure: whether the mask passed all checks; otherwise it should not be used for cropping.
        reason: one sentence on the check that failed, "" if none did.
    """

    mask: np.ndarray
    sure: bool
    reason: str


def segment(pixels: np.ndarray) -> Lungs:
    """Segment the lungs of a frontal chest radiograph, bone bright.

    The network (assets/lungs) was trained on phantoms rendered with many film curves, and on no patient. It
    is applied to the whole film and then to the chest alone, each time also mirrored.

    Args:
        pixels: grey film (H, W), float in [0, 1]; any aspect ratio.

    Returns:
        The lungs. They are not `sure` for a film without lungs, a lateral film, or if the passes disagree.

    Raises:
        InputError: the film is not a grey image of finite numbers, or the weights are missing.
    """
    film = np.asarray(pixels, np.float32)
    if film.ndim != 2 or 0 in film.shape:
        raise InputError(f"A film must be grey, of shape (height, width); got shape {film.shape}.")
    if not np.isfinite(film).all():
        raise InputError(
            "A film must hold finite numbers; got NaN or infinity; open its file with read_image."
        )
    passes = probabilities(film)
    mean = passes.mean(axis=0)
    mask = clean(mean > 0.5)
    reason = failed_check(mask, mean, passes)
    height, width = film.shape
    full = cv2.resize(as_drawn(mask).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return Lungs(full > 0.5, not reason, reason)


def probabilities(film: np.ndarray) -> np.ndarray:
    """Lung probabilities of each pass over a film (H, W): (passes, h, w), on at most 512 pixels per side."""
    scale = min(1.0, _GRID / max(film.shape))
    grid = tuple(max(1, round(side * scale)) for side in film.shape)
    small = cv2.resize(film, grid[::-1], interpolation=cv2.INTER_AREA)
    first = _mirrored_pair(small)
    chest = _around(first.mean(axis=0) > 0.5)
    if chest is None:
        return first
    second = np.zeros_like(first)
    second[:, chest[0], chest[1]] = _mirrored_pair(small[chest])
    return np.concatenate([first, second])


def failed_check(mask: np.ndarray, mean: np.ndarray, passes: np.ndarray) -> str:
    """One sentence on the first check that the mask (h, w) fails; "" if it passes all.

    Args:
        mask: cleaned mask.
        mean: (h, w) mean over the passes.
        passes: (passes, h, w) probabilities.
    """
    share = float(mask.mean())
    parts = components(mask)
    if share < _AREA[0]:
        return f"Hardly any lung was found: {share:.0%} of the film, less than {_AREA[0]:.0%}."
    if share > _AREA[1]:
        return (
            f"The mask covers {share:.0%} of the film, more than two lungs do: it may show part of a chest."
        )
    if len(parts) < 2:
        return "One lung was found, not two: it may be a lateral film, or one lung may be opaque."
    sizes = sorted((int(part.sum()) for part in parts[:2]), reverse=True)
    if sizes[1] < _BALANCE * sizes[0]:
        return f"One lung is {sizes[0] / sizes[1]:.1f} times as large as the other."
    left, right = sorted(
        (np.argwhere(part).mean(axis=0) for part in parts[:2]), key=lambda centre: float(centre[1])
    )
    if right[1] - left[1] < abs(right[0] - left[0]):
        return "The lungs lie one above the other, not side by side: the film may be rotated."
    confidence = float(mean[mask].mean())
    if confidence < _CONFIDENT:
        return f"The network is not certain: its mean probability inside the mask is {confidence:.0%}."
    agreement = min(_iou(mask, each > 0.5) for each in passes)
    if agreement < _AGREED:
        return f"A second pass gave a different mask: the intersection over union is {agreement:.0%}."
    return ""


def crop_box(lungs: Lungs, *, margin: float = 0.02, lower_border: bool = True) -> tuple[int, int, int, int]:
    """Bounding box of the lungs: top, left, bottom, right in pixels, bottom and right exclusive.

    Args:
        lungs: segmentation of one film.
        margin: added on each side, as a share of the film's sides.
        lower_border: extend to the lower border of the film, as Liz et al. do: lung lies behind the domes.

    Returns:
        The box; the whole film if the mask is not `sure`.
    """
    height, width = lungs.mask.shape
    if not lungs.sure or not lungs.mask.any():
        return 0, 0, height, width
    rows, columns = np.flatnonzero(lungs.mask.any(axis=1)), np.flatnonzero(lungs.mask.any(axis=0))
    down, across = round(margin * height), round(margin * width)
    bottom = height if lower_border else min(height, int(rows[-1]) + 1 + down)
    return (
        max(0, int(rows[0]) - down),
        max(0, int(columns[0]) - across),
        bottom,
        min(width, int(columns[-1]) + 1 + across),
    )


def share_inside(heatmap: np.ndarray, mask: np.ndarray) -> float:
    """Share of the positive relevance inside a mask: Σ inside ÷ Σ.

    Args:
        heatmap: (H, W); values below 0 (against the finding) and NaN (not seen) are ignored.
        mask: (H, W) bool.

    Returns:
        In [0, 1]; NaN where the map is nowhere above 0. A constant map gives the mask's share of the film.

    Raises:
        InputError: the shapes differ.
    """
    if heatmap.shape != mask.shape:
        raise InputError(
            "Heat map and mask must have the same shape; "
            f"got {heatmap.shape} and {mask.shape}: resize the map."
        )
    positive = np.maximum(np.nan_to_num(np.asarray(heatmap, np.float64), nan=0.0), 0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else float("nan")


def _mirrored_pair(film: np.ndarray) -> np.ndarray:
    """Probabilities of a film and of its mirror image, mirrored back: (2, h, w)."""
    import torch  # not at the top: the rest of the package does not need it

    from cxrbench.preprocess.lungs.net import probability

    padded, (top, left) = _padded(film)
    prepared = prepare(padded)
    both = np.stack([prepared, prepared[:, :, ::-1]])
    pair = probability(torch.from_numpy(both)).numpy()
    pair[1] = pair[1, :, ::-1]
    full = np.stack([cv2.resize(each, padded.shape[::-1], interpolation=cv2.INTER_LINEAR) for each in pair])
    return full[:, top : top + film.shape[0], left : left + film.shape[1]]


def _padded(film: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Pad a film with black to the largest aspect ratio; also returns where the film lies in it."""
    height, width = film.shape
    down = max(0, round(width / _LONGEST) - height) // 2
    across = max(0, round(height / _LONGEST) - width) // 2
    return np.pad(film, ((down, down), (across, across))), (down, across)


def _around(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns of the chest: the box of the mask with a margin of a seventh, or None."""
    parts = [part for part in components(mask)[:2] if part.mean() > 0.01]
    if not parts:
        return None
    kept = np.logical_or.reduce(parts)
    slices = []
    for axis, side in enumerate(mask.shape):
        marked = np.flatnonzero(kept.any(axis=1 - axis))
        room = max(2, round((marked[-1] - marked[0]) / 7))
        slices.append(slice(max(0, int(marked[0]) - room), min(side, int(marked[-1]) + 1 + room)))
    return slices[0], slices[1]


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union; 0 where both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0
