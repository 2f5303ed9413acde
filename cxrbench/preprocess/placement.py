"""Where a network's input lies on a radiograph: cropping, and mapping heat maps back."""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Box", "Placement"]

# Top, left, bottom, right in pixels of a film; bottom and right exclusive.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Placement:
    """Crop of a film, and the rectangle fitted to it, which becomes the input of a network.

    Args:
        shape: (H, W) of the film.
        box: the crop.
        fit: ``stretch`` takes the crop itself, ``pad`` the smallest rectangle of the input's proportions
            around it, ``crop`` the largest in it. ``letterbox`` resizes the crop before black is added.
        size: (height, width) of the network's input.
        central: of ``crop``: the share of the rectangle's sides that is kept, around its centre.
    """

    shape: tuple[int, int]
    box: Box
    fit: str
    size: tuple[int, int]
    central: float = 1.0

    @property
    def filled(self) -> Box:
        """The part of the network's input that shows the film, in pixels of the input.

        All of it, unless ``fit`` is ``letterbox``: then black is around it.
        """
        height, width = self.size
        if self.fit != "letterbox":
            return 0, 0, height, width
        top, left, bottom, right = self.box
        scale = min(width / (right - left), height / (bottom - top))
        rows, columns = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
        above, before = (height - rows) // 2, (width - columns) // 2
        return above, before, above + rows, before + columns

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Where the network's input lies on the film, like a ``Box`` in fractions of pixels."""
        if self.fit != "letterbox":
            return self.window
        top, left, bottom, right = self.box
        above, before, below, after = self.filled
        down, across = (bottom - top) / (below - above), (right - left) / (after - before)
        height, width = self.size
        return (
            top - above * down,
            left - before * across,
            bottom + (height - below) * down,
            right + (width - after) * across,
        )

    @property
    def window(self) -> Box:
        """Fitted rectangle in whole pixels of the film; padding reaches beyond ``box``."""
        if self.fit == "stretch":
            return self.box
        if self.fit == "letterbox":
            top, left, bottom, right = map(round, self.extent)
            return top, left, bottom, right
        top, left, bottom, right = self.box
        height, width = self._fitted(bottom - top, right - left)
        # Halved before subtracting, so that the centre pixel is the one that torchxrayvision chooses.
        top, left = top + (bottom - top) // 2 - height // 2, left + (right - left) // 2 - width // 2
        return top, left, top + height, left + width

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
        rectangle = np.zeros((window[2] - window[0], window[3] - window[1]), np.float32)
        rectangle[
            above - window[0] : below - window[0],
            before - window[1] : after - window[1],
        ] = inside
        return rectangle

    def lay(self, maps: np.ndarray) -> np.ndarray:
        """Map (K, h, w) on any grid over the input back to the film: (K, H, W), NaN where it is not seen.

        Bilinear, pixel centres aligned as in ``interpolate(align_corners=False)``.
        """
        above, before, below, after = self.seen
        inside = self._lay_letterbox(maps) if self.fit == "letterbox" else self._lay_window(maps)
        if inside.shape[1:] == self.shape:
            return inside
        full = np.full((len(maps), *self.shape), np.nan, np.float32)
        full[:, above:below, before:after] = inside
        return full

    def _fitted(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the rectangle of the input's proportions around, or in, one of another shape."""
        rows, columns = self.size
        taller = height * columns >= width * rows  # than the input, for its width
        if taller == (self.fit == "pad"):
            width = round(height * columns / rows)
        else:
            height = round(width * rows / columns)
        return max(1, round(height * self.central)), max(1, round(width * self.central))

    def _lay_window(self, maps: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.window
        size = (right - left, bottom - top)
        whole = np.empty((len(maps), size[1], size[0]), np.float32)
        for index, grid in enumerate(maps):
            whole[index] = cv2.resize(np.asarray(grid, np.float32), size, interpolation=cv2.INTER_LINEAR)
        above, before, below, after = self.seen
        return whole[:, above - top : below - top, before - left : after - left]

    def _lay_letterbox(self, maps: np.ndarray) -> np.ndarray:
        """The input begins and ends between pixels of the film, which ``cv2.resize`` cannot express."""
        maps = np.asarray(maps, np.float32)
        for axis in (0, 1):
            start, stop = self.extent[axis], self.extent[axis + 2]
            centres = np.arange(self.box[axis], self.box[axis + 2]) + 0.5
            cells = maps.shape[axis + 1]
            maps = _interpolated(maps, axis + 1, (centres - start) / (stop - start) * cells - 0.5)
        return maps


def _interpolated(maps: np.ndarray, axis: int, positions: np.ndarray) -> np.ndarray:
    """Maps at positions along an axis, in cells; linear between cells, constant beyond the outermost."""
    last = maps.shape[axis] - 1
    positions = positions.clip(0, last)
    lower = positions.astype(np.intp)
    share = (positions - lower).astype(np.float32)
    share = share[:, None] if axis == 1 else share
    first, second = maps.take(lower, axis), maps.take(np.minimum(lower + 1, last), axis)
    between: np.ndarray = first + share * (second - first)
    return between
