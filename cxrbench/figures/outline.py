"""The border of a mask, for display only."""

import cv2
import numpy as np

__all__ = ["extent"]

_SPECK = 48  # of the shorter side: holes and islands smaller than that are not worth a line


def extent(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) bool without its specks: holes closed by a disc, islands of less than its box left out.

    The disc is 1/48 of the shorter side. A diffuse finding such as edema crosses its threshold in hundreds of
    small holes, whose outlines would hide the picture. Thin lines (a tube) stay; so do specks where there is
    nothing else.
    """
    side = max(1, round(min(mask.shape) / _SPECK)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # Room around it, so that the border of the picture does not eat into a mask that touches it.
    padded = np.pad(mask.astype(np.uint8), side, mode="edge")
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[side:-side, side:-side]
    _, islands, facts, _ = cv2.connectedComponentsWithStats(closed)
    kept = facts[:, cv2.CC_STAT_AREA] >= side**2
    kept[0] = False  # the background
    drawn = kept[islands]
    return drawn if drawn.any() else mask
