"""The outline of a mask as polygons, for display: the same ones on the pages, in pictures and in figures."""

import cv2
import numpy as np

__all__ = ["extent", "omission_note", "outline_polygons", "smallest_region"]

_SHARE = 48  # holes and regions smaller than 1/48 of the shorter side are not outlined
_TOLERANCE = 0.7  # pixels by which a simplified polygon may deviate from the border


def smallest_region(shape: tuple[int, ...]) -> int:
    """The area in pixels below which ``extent`` omits a region of a mask of that shape (H, W)."""
    return _diameter(shape) ** 2


def omission_note(mask: np.ndarray) -> str:
    """What ``extent`` omits of a mask (H, W) bool, as part of a caption; "" if it omits nothing."""
    omitted = mask & ~extent(mask)
    return f", regions under {smallest_region(mask.shape)} pixels omitted" if omitted.any() else ""


def extent(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) bool with small holes closed and small regions removed.

    Holes are closed by a disc of 1/48 of the shorter side; regions smaller than the square around the disc
    (``smallest_region``) are removed, unless there are no larger ones. Without this, the outline of a diffuse
    finding such as edema would have hundreds of small holes that hide the picture. Thin lines (a tube) stay.
    """
    side = _diameter(mask.shape)
    # Padded, so that the closing does not change a mask at the border of the picture.
    closed = _close(np.pad(mask, side, mode="edge"), side / 2)[side:-side, side:-side]
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(closed.astype(np.uint8))
    kept = statistics[:, cv2.CC_STAT_AREA] >= side**2
    kept[0] = False  # the background
    outlined: np.ndarray = kept[regions]
    return outlined if outlined.any() else mask


def outline_polygons(mask: np.ndarray) -> list[np.ndarray]:
    """The borders of a mask's ``extent``, outer ones and those of its holes.

    Whatever draws an outline draws these, so that page, picture and figure show the same.

    Args:
        mask: (H, W) bool.

    Returns:
        Closed polygons (N, 2) float64 of (x, y) in pixels from the upper left corner of the image: the centre
        of its first pixel is (0.5, 0.5). They run through the centres of the border's pixels, within 0.7.
    """
    found, _ = cv2.findContours(extent(mask).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    polygons = [cv2.approxPolyDP(border, _TOLERANCE, closed=True)[:, 0] + 0.5 for border in found]
    # A region of one pixel has one vertex, with which nothing could be drawn: outline the pixel.
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    return [polygon if len(polygon) > 1 else polygon + corners for polygon in polygons]


def _diameter(shape: tuple[int, ...]) -> int:
    return max(1, round(min(shape) / _SHARE)) | 1


def _close(mask: np.ndarray, radius: float) -> np.ndarray:
    """Closing by a disc; by distances, since a morphological filter takes seconds for a large film."""
    dilated = _distance(~mask) <= radius
    closed: np.ndarray = _distance(dilated) > radius
    return closed


def _distance(mask: np.ndarray) -> np.ndarray:
    """Of each pixel from the nearest one outside the mask, in pixels, within 2 %; 0 outside."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
