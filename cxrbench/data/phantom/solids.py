"""Path length of a ray through simple solids: closed forms on a grid of rays, in cm."""

from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

__all__ = ["Array", "curve", "ellipse", "half_chord", "polyline", "smoothstep", "texture", "tube"]

# One number per ray; float32 on the grid of an image.
Array = NDArray[np.floating]


def half_chord(offset: Array) -> Array:
    """Half the chord of the unit circle at a distance from its centre: √max(0, 1 − d²)."""
    return np.sqrt(np.maximum(1 - offset * offset, 0))


def smoothstep(value: Array) -> Array:
    """0 below 0, 1 above 1, and smooth between: 3t² − 2t³."""
    t = np.clip(value, 0, 1)
    return t * t * (3 - 2 * t)


def curve(knots: list[float], values: list[float], positions: Array) -> Array:
    """A smooth profile through knots that never overshoots them (monotone cubic), flat outside.

    Profiles are read from a fine table: a hundred times faster on an image than the spline itself.
    """
    return np.interp(positions, *_profile(tuple(knots), tuple(values))).astype(np.float32)


@lru_cache(maxsize=256)
def _profile(knots: tuple[float, ...], values: tuple[float, ...]) -> tuple[Array, Array]:
    """Table of a curve: positions and values. Cached, since most profiles are the same for every patient."""
    table = np.linspace(knots[0], knots[-1], 1024)
    fine = PchipInterpolator(knots, values)(table)
    table.setflags(write=False)  # they are cached
    fine.setflags(write=False)
    return table, fine


def ellipse(
    x: Array, y: Array, centre: tuple[float, float], radii: tuple[float, float, float], turn: float = 0
) -> Array:
    """Chord of an ellipsoid along the beam.

    Args:
        x: coordinates of the rays in the plane of its centre, cm.
        y: the same, towards the feet.
        centre: its centre in that plane.
        radii: half-axes, the third along the beam.
        turn: rotation in the plane, radians.

    Returns:
        Path length per ray, cm.
    """
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = (dx * cos + dy * sin) / np.float32(radii[0]), (dy * cos - dx * sin) / np.float32(radii[1])
    return np.float32(2 * radii[2]) * np.sqrt(np.maximum(1 - u * u - v * v, 0))


def polyline(
    x: Array, y: Array, path: NDArray[np.float64], reach: float
) -> tuple[tuple[slice, slice], Array, Array]:
    """Distance from each ray to a polyline, where it is at most `reach`.

    Args:
        x: coordinates of the rays (H, W), cm.
        y: the same, towards the feet.
        path: corners (N, 2), cm.
        reach: rays farther away are ignored.

    Returns:
        The window of the grid around the line; in it, the distance, and the nearest position along the line,
        0 to N − 1.
    """
    low, high = path.min(0) - reach, path.max(0) + reach
    window = _window(x, y, low, high)
    px, py = x[window], y[window]
    best = np.full(px.shape, np.inf, np.float32)
    where = np.zeros(px.shape, np.float32)
    for index, (start, end) in enumerate(pairwise(path)):
        dx, dy = (np.float32(v) for v in end - start)
        along = ((px - np.float32(start[0])) * dx + (py - np.float32(start[1])) * dy) / (
            dx * dx + dy * dy + np.float32(1e-9)
        )
        along = np.clip(along, 0, 1)
        distance = (px - np.float32(start[0]) - along * dx) ** 2 + (
            py - np.float32(start[1]) - along * dy
        ) ** 2
        nearer = distance < best
        best = np.where(nearer, distance, best)
        where = np.where(nearer, along + np.float32(index), where)
    return window, np.sqrt(best), where


def _window(x: Array, y: Array, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[slice, slice]:
    """The smallest window of the grid that holds a box, from the middle lines of the nearly upright grid."""
    height, width = x.shape
    slack = float(max(np.ptp(x[:, width // 2]), np.ptp(y[height // 2]))) / 2
    columns = np.flatnonzero((x[height // 2] >= low[0] - slack) & (x[height // 2] <= high[0] + slack))
    rows = np.flatnonzero((y[:, width // 2] >= low[1] - slack) & (y[:, width // 2] <= high[1] + slack))
    if not len(columns) or not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def tube(
    x: Array, y: Array, path: NDArray[np.float64], radius: float | NDArray[np.float64], *, hollow: float = 0
) -> Array:
    """Path length through a bent tube across the beam.

    Args:
        x: coordinates of the rays (H, W), cm.
        y: the same, towards the feet.
        path: its axis (N, 2), cm.
        radius: in cm, one or one per corner.
        hollow: inner over outer radius; 0 is a solid rod.

    Returns:
        Path length per ray, cm (H, W).
    """
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(path))
    length = np.zeros(x.shape, np.float32)
    window, distance, where = polyline(x, y, path, float(radii.max()))
    local = np.interp(where, np.arange(len(path)), radii).astype(np.float32)
    wall = half_chord(distance / local)
    if hollow:
        wall = wall - np.float32(hollow) * half_chord(distance / (local * np.float32(hollow)))
    length[window] = 2 * local * wall
    return length


def texture(rng: np.random.Generator, shape: tuple[int, int], grain: float) -> Array:
    """Smooth noise with mean 0 and standard deviation 1, in grains about ``grain`` pixels wide."""
    step = max(1.0, grain)
    small = (max(4, int(np.ceil(shape[0] / step)) + 3), max(4, int(np.ceil(shape[1] / step)) + 3))
    coarse = rng.standard_normal(small, np.float32)
    field: Array = np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))
    standardised: Array = (field - field.mean()) / (field.std() + np.float32(1e-6))
    return standardised
