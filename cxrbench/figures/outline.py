"""The border of a mask, for display only."""

import cv2
import numpy as np

__all__ = ["extent", "omission_note", "smallest_region"]

_SHARE = 48  # holes and regions smaller than 1/48 of the shorter side are not outlined


def smallest_region(shape: tuple[int, ...]) -> int:
    """The area in pixels below which ``extent`` omits a region of a mask of that shape (H, W)."""
    return _diameter(shape) ** 2


def omission_note(shape: tuple[int, ...]) -> str:
    """What ``extent`` omits of a mask of that shape (H, W), as part of a caption; "" if nothing."""
    area = smallest_region(shape)
    return f", regions under {area} pixels omitted" if area > 1 else ""


def extent(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) bool with small holes closed and small regions removed.

    Holes are closed by a disc of 1/48 of the shorter side; regions smaller than the square around the disc
    (``smallest_region``) are removed, unless there are no larger ones. Without this, the outline of a diffuse
    finding such as edema would have hundreds of small holes that hide the picture. Thin lines (a tube) stay.
    """
    side = _diameter(mask.shape)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # Padded, so that the closing does not change a mask at the border of the picture.
    padded = np.pad(mask.astype(np.uint8), side, mode="edge")
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[side:-side, side:-side]
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(closed)
    kept = statistics[:, cv2.CC_STAT_AREA] >= side**2
    kept[0] = False  # the background
    outlined: np.ndarray = kept[regions]
    return outlined if outlined.any() else mask


def _diameter(shape: tuple[int, ...]) -> int:
    return max(1, round(min(shape) / _SHARE)) | 1
