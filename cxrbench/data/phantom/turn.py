"""Turns a frontal map by 90°: depth along each ray → path length along the other axis.

A part that fills the depths from `low` to `high` on each ray of an upright grid of parallel rays is a solid.
Its path along x at (z, y) is the measure of the rays of that row whose interval contains z: a histogram of
the intervals' starts minus one of their ends, accumulated from back to front.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import RayGeometry, ViewSetup, draw_geometry

__all__ = ["GRID", "Slab", "slab", "turn"]

# Rays per side of the grid that is turned: a spacing of about 1.5 mm, finer than the detail of soft parts.
GRID = 256


@dataclass(frozen=True)
class Slab:
    """The upright grid of parallel rays that is turned.

    Attributes:
        geometry: its rays, parallel from front to back.
        top: distance of the first row above the apex, cm.
    """

    geometry: RayGeometry
    top: float

    @property
    def spacing(self) -> float:
        """Centimetres per step, the same in x, y and z."""
        return self.geometry.spacing

    def project(self, turned: Array, side: RayGeometry, x: float) -> Array:
        """Resample a turned map on the rays of a lateral film, magnified like a part at this x.

        Args:
            turned: (rows, steps in z) from `turn`.
            side: the rays of the lateral film.
            x: position of the part, cm to the patient's left.

        Returns:
            (H, W) float32.
        """
        u, y = side.plane(x)
        column = (np.float32(GRID / 2 - 0.5) - u / np.float32(self.spacing)).astype(np.float32)
        row = ((y + np.float32(self.top)) / np.float32(self.spacing) - np.float32(0.5)).astype(np.float32)
        flat = turned.astype(np.float32)
        return np.asarray(cv2.remap(flat, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def slab(patient: Patient, exposure: int) -> Slab:
    """The grid of one patient: that of the frontal film, with parallel rays and without rotation or tilt."""
    frontal = draw_geometry(patient, "PA", GRID, exposure)
    top = float(-frontal.down[:, GRID // 2].min()) + 1.0
    grid = ((np.arange(GRID) + 0.5) * frontal.spacing).astype(np.float32)
    across, down = np.broadcast_arrays(grid[None, :] - np.float32(frontal.field / 2), grid[:, None] - top)
    far = ViewSetup("parallel", 1e6, True, False)
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
    """Integrate over x a part that fills the depths from low to high.

    ∫ weight(x, y)·[low(x, y) ≤ z ≤ high(x, y)] dx, averaged over each step in z.

    Args:
        weight: weight per centimetre of the part (rows, columns); 1 gives its path length.
        low: depth at which it begins, cm (rows, columns); z = 0 is the middle of the result.
        high: depth at which it ends; where it is not above `low` the part is empty.
        spacing: centimetres per step in x and in z.

    Returns:
        (rows, columns): z grows with the column.
    """
    rows, steps = low.shape
    filled = high > low
    row, column = np.nonzero(filled)
    amount = np.broadcast_to(np.asarray(weight, np.float64), low.shape)[row, column] * spacing
    steps_sum = np.zeros(rows * (steps + 2))
    for edge, sign in ((low, 1.0), (high, -1.0)):
        position = np.clip(edge[row, column] / spacing + steps / 2, 0, steps)
        cell = position.astype(np.intp)
        fraction = position - cell
        index = row * (steps + 2) + cell
        steps_sum += np.bincount(index, sign * amount * (1 - fraction), steps_sum.size)
        steps_sum += np.bincount(index + 1, sign * amount * fraction, steps_sum.size)
    return np.cumsum(steps_sum.reshape(rows, steps + 2), axis=1)[:, :steps]
