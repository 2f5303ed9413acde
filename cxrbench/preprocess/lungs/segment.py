"""The lung mask of a radiograph, and whether it can be relied on."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cxrbench.errors import InputError
from cxrbench.preprocess.lungs.masks import as_drawn, clean, components
from cxrbench.preprocess.lungs.window import prepare

__all__ = ["Lungs", "crop_box", "probabilities", "segment", "share_inside"]

_GRID: Final = 512  # cleaning is done on at most so many pixels per side
_LONGEST: Final = 1.6  # films longer than this are padded, so that lungs are not stretched out of recognition
_AREA: Final = (0.08, 0.75)  # of the film
_BALANCE: Final = 0.35  # the smaller lung's area over the larger one's
_FIRM: Final = 0.8  # mean probability inside the mask
_AGREED: Final = 0.6  # least IoU of a look with the mask


@dataclass(frozen=True)
class Lungs:
    """The lungs of one film.

    Attributes:
        mask: (H, W) bool, from the apices to the domes of the diaphragm, inwards to the spine: the heart's
            shadow before the lung belongs to it, as most who mark lungs by hand have it.
        sure: whether the mask passed every check; where not, it should not be cropped to.
        reason: one sentence that says why it is not sure, "" where it is.
    """

    mask: np.ndarray
    sure: bool
    reason: str


def segment(pixels: np.ndarray) -> Lungs:
    """Mark the lungs of a frontal chest radiograph, bone bright.

    The network that ships (assets/lungs) learnt from phantoms in the looks of many films and from no person's
    radiograph. It looks twice, at the whole film and then at the chest alone, each time also mirrored.

    Args:
        pixels: grey film (H, W), float in [0, 1]; any aspect ratio.

    Returns:
        The lungs. A film that shows none, a lateral one, or one the looks disagree on is not `sure`.

    Raises:
        InputError: the film is not a grey picture of finite numbers, or the weights are not there.
    """
    film = np.asarray(pixels, np.float32)
    if film.ndim != 2 or 0 in film.shape:
        raise InputError(f"A film must be grey, of shape (height, width); got shape {film.shape}.")
    if not np.isfinite(film).all():
        raise InputError("A film must hold finite numbers; got some that are not; read_image scales them.")
    looks = probabilities(film)
    mean = looks.mean(axis=0)
    mask = clean(mean > 0.5)
    reason = doubt(mask, mean, looks)
    height, width = film.shape
    full = cv2.resize(as_drawn(mask).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return Lungs(full > 0.5, not reason, reason)


def probabilities(film: np.ndarray) -> np.ndarray:
    """Each look at a film (H, W): (looks, h, w) in [0, 1] on a grid of at most 512 a side."""
    scale = min(1.0, _GRID / max(film.shape))
    grid = tuple(max(1, round(side * scale)) for side in film.shape)
    small = cv2.resize(film, grid[::-1], interpolation=cv2.INTER_AREA)
    first = _look(small)
    chest = _around(first.mean(axis=0) > 0.5)
    if chest is None:
        return first
    second = np.zeros_like(first)
    second[:, chest[0], chest[1]] = _look(small[chest])
    return np.concatenate([first, second])


def doubt(mask: np.ndarray, mean: np.ndarray, looks: np.ndarray) -> str:
    """Why the mask (h, w) should not be relied on, in one sentence; "" where nothing speaks against it.

    Args:
        mask: cleaned.
        mean: (h, w) of the looks.
        looks: (looks, h, w) probabilities.
    """
    share = float(mask.mean())
    parts = components(mask)
    if share < _AREA[0]:
        return f"Hardly any lung was found: {share:.0%} of the film, less than {_AREA[0]:.0%}."
    if share > _AREA[1]:
        return f"{share:.0%} of the film was marked, more than two lungs take: it may be a part of a chest."
    if len(parts) < 2:
        return "One lung was found, not two: it may be a lateral film, or one lung may be white."
    sizes = sorted((int(part.sum()) for part in parts[:2]), reverse=True)
    if sizes[1] < _BALANCE * sizes[0]:
        return f"One lung was marked {sizes[0] / sizes[1]:.1f} times as large as the other."
    left, right = sorted((np.argwhere(part).mean(axis=0) for part in parts[:2]), key=lambda at: float(at[1]))
    if right[1] - left[1] < abs(right[0] - left[0]):
        return "What was marked lies one above the other, not side by side: the film may be turned."
    firm = float(mean[mask].mean())
    if firm < _FIRM:
        return f"The network is not sure: it gives what it marked a mean probability of {firm:.0%}."
    agreed = min(_overlap(mask, look > 0.5) for look in looks)
    if agreed < _AGREED:
        return f"Looking again gave another mask: the two share {agreed:.0%} of their area."
    return ""


def crop_box(lungs: Lungs, *, margin: float = 0.02, lower_border: bool = True) -> tuple[int, int, int, int]:
    """The rectangle that holds the lungs: top, left, bottom, right in pixels, bottom and right exclusive.

    Args:
        lungs: of one film.
        margin: kept around them, as a share of the film's sides.
        lower_border: reach down to the film's lower border, as Liz et al. do: lung goes on behind the domes.

    Returns:
        The whole film where the mask is not sure: nothing is cut on a guess.
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
    """How much of a heat map lies inside a mask: Σ of it inside ÷ Σ of it.

    Args:
        heatmap: (H, W); what is below 0 speaks against the finding and is not counted, nor is NaN (unseen).
        mask: (H, W) bool.

    Returns:
        In [0, 1]; NaN where the map is nowhere above 0. A constant map gives the mask's share of the film.

    Raises:
        InputError: the two differ in shape.
    """
    if heatmap.shape != mask.shape:
        raise InputError(
            f"Heat map and mask must have one shape; got {heatmap.shape} and {mask.shape}: resize the map."
        )
    positive = np.maximum(np.nan_to_num(np.asarray(heatmap, np.float64), nan=0.0), 0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else float("nan")


def _look(film: np.ndarray) -> np.ndarray:
    """Probabilities of a film and of its mirror image, (2, h, w)."""
    import torch  # not above: the rest of the room is used without it

    from cxrbench.preprocess.lungs.net import probability

    padded, (top, left) = _padded(film)
    prepared = prepare(padded)
    both = np.stack([prepared, prepared[:, :, ::-1]])
    said = probability(torch.from_numpy(both)).numpy()
    said[1] = said[1, :, ::-1]
    full = np.stack([cv2.resize(one, padded.shape[::-1], interpolation=cv2.INTER_LINEAR) for one in said])
    return full[:, top : top + film.shape[0], left : left + film.shape[1]]


def _padded(film: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The film, its short side made longer in black where it is very short, and where the film lies in it."""
    height, width = film.shape
    down = max(0, round(width / _LONGEST) - height) // 2
    across = max(0, round(height / _LONGEST) - width) // 2
    return np.pad(film, ((down, down), (across, across))), (down, across)


def _around(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns of the chest: what is marked and a seventh of its size around it, or None."""
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


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union; 0 where both are empty."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 0.0
