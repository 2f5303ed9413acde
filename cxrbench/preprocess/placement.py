"""Where a network's square input lies on a radiograph: cropping, and mapping heat maps back."""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Box", "Placement"]

# Top, left, bottom, right in pixels of a film; bottom and right exclusive.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Placement:
    """Crop of a film, and the rectangle fitted to it, which becomes the square input of a network.

    Args:
        shape: (H, W) of the film.
        box: the crop.
        fit: ``stretch`` takes the crop itself, ``pad`` the smallest square around it, ``crop`` the largest
            square in it.
    """

    shape: tuple[int, int]
    box: Box
    fit: str

    @property
    def window(self) -> Box:
        """Fitted rectangle in pixels of the film; padding reaches beyond ``box``."""
        top, left, bottom, right = self.box
        height, width = bottom - top, right - left
        if self.fit == "stretch":
            return self.box
        side = max(height, width) if self.fit == "pad" else min(height, width)
        # Halved before subtracting, so that the centre pixel is the one that torchxrayvision chooses.
        top, left = top + height // 2 - side // 2, left + width // 2 - side // 2
        return top, left, top + side, left + side

    @property
    def seen(self) -> Box:
        """Pixels of the film that the network sees: the intersection of ``box`` and ``window``."""
        (top, left, bottom, right), (above, before, below, after) = self.box, self.window
        return max(top, above), max(left, before), min(bottom, below), min(right, after)

    def cut(self, image: np.ndarray, part: np.ndarray | None = None) -> np.ndarray:
        """Cut the fitted rectangle from a film (H, W); padding is black.

        Args:
            image: the film.
            part: pixels to use instead of the film's in ``box``, of the same size.
        """
        top, left, bottom, right = self.box
        part = image[top:bottom, left:right] if part is None else part
        above, before, below, after = self.seen
        inside = part[above - top : below - top, before - left : after - left]
        window = self.window
        if window == self.seen:
            return np.ascontiguousarray(inside)
        square = np.zeros((window[2] - window[0], window[3] - window[1]), np.float32)
        square[
            above - window[0] : below - window[0],
            before - window[1] : after - window[1],
        ] = inside
        return square

    def lay(self, maps: np.ndarray) -> np.ndarray:
        """Map (K, h, w) on any grid over the square back to the film: (K, H, W), NaN where it is not seen.

        Bilinear, pixel centres aligned as in ``interpolate(align_corners=False)``.
        """
        top, left, bottom, right = self.window
        size = (right - left, bottom - top)
        square = np.empty((len(maps), size[1], size[0]), np.float32)
        for index, grid in enumerate(maps):
            square[index] = cv2.resize(np.asarray(grid, np.float32), size, interpolation=cv2.INTER_LINEAR)
        above, before, below, after = self.seen
        inside = square[:, above - top : below - top, before - left : after - left]
        if inside.shape[1:] == self.shape:
            return inside
        full = np.full((len(maps), *self.shape), np.nan, np.float32)
        full[:, above:below, before:after] = inside
        return full
