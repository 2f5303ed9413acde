"""Turns a frontal map by 90°: depth along each ray → path length along the other axis.

A part that fills the depths from `low` to `high` on each ray of an upright grid of parallel rays is a solid.
Its path along x at (z, y) is the measure of the rays of that row whose interval holds z: a histogram of where
the intervals begin, less one of where they end, summed up from back to front.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import Geometry, View, draw_geometry

__all__ = ["GRID", "Slab", "slab", "turn"]

# Rays a side of the grid that is turned: about 1.5 mm, finer than any soft part is sharp.
GRID = 256


@dataclass(frozen=True)
class Slab:
    """The upright grid of parallel rays that is turned.

    Attributes:
        geometry: its rays, straight from front to back.
        top: how far the first row lies above the apex, cm.
    """

    geometry: Geometry
    top: float

    @property
    def spacing(self) -> float:
        """Centimetres a step, the same in x, y and z."""
        return self.geometry.spacing

    def seen(self, turned: Array, side: Geometry, x: float) -> Array:
        """A turned map on the rays of a lateral film, magnified as a part at this x is.

        Args:
            turned: (rows, steps in z) from `turn`.
            side: the lateral film's rays.
            x: where the part lies, cm to the patient's left.

        Returns:
            (H, W) float32.
        """
        u, y = side.plane(x)
        column = (np.float32(GRID / 2 - 0.5) - u / np.float32(self.spacing)).astype(np.float32)
        row = ((y + np.float32(self.top)) / np.float32(self.spacing) - np.float32(0.5)).astype(np.float32)
        flat = turned.astype(np.float32)
        return np.asarray(cv2.remap(flat, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def slab(patient: Patient, exposure: int) -> Slab:
    """The grid for one patient: that of his frontal film, but with parallel rays and nothing askew."""
    frontal = draw_geometry(patient, "PA", GRID, exposure)
    top = float(-frontal.down[:, GRID // 2].min()) + 1.0
    grid = ((np.arange(GRID) + 0.5) * frontal.spacing).astype(np.float32)
    across, down = np.broadcast_arrays(grid[None, :] - np.float32(frontal.field / 2), grid[:, None] - top)
    far = View("parallel", 1e6, True, False)
    return Slab(
        replace(
            frontal,
            view=far,
            across=np.ascontiguousarray(across),
            down=np.ascontiguousarray(down, dtype=np.float32),
            rotation=0.0,
            tilt=0.0,
        ),
        top,
    )


def turn(weight: Array | float, low: Array, high: Array, spacing: float) -> Array:
    """Integrate over x what fills the depths from low to high.

    ∫ weight(x, y)·[low(x, y) ≤ z ≤ high(x, y)] dx, averaged over each step in z.

    Args:
        weight: what a centimetre of the part counts (rows, columns); 1 gives its path.
        low: where it begins in depth, cm (rows, columns); z = 0 is the middle of the result.
        high: where it ends; where it is not above `low` there is nothing.
        spacing: centimetres a step in x and in z.

    Returns:
        (rows, columns): z grows with the column.
    """
    rows, steps = low.shape
    there = high > low
    row, column = np.nonzero(there)
    amount = np.broadcast_to(np.asarray(weight, np.float64), low.shape)[row, column] * spacing
    flat = np.zeros(rows * (steps + 2))
    for edge, sign in ((low, 1.0), (high, -1.0)):
        place = np.clip(edge[row, column] / spacing + steps / 2, 0, steps)
        cell = place.astype(np.intp)
        part = place - cell
        at = row * (steps + 2) + cell
        flat += np.bincount(at, sign * amount * (1 - part), flat.size)
        flat += np.bincount(at + 1, sign * amount * part, flat.size)
    return np.cumsum(flat.reshape(rows, steps + 2), axis=1)[:, :steps]
