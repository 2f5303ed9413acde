"""Pulmonary vessels: trees that leave the hilum and thin out towards the pleura."""

import math
from functools import lru_cache

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.lungs import SIDES
from cxrbench.data.phantom.solids import Array, ellipse, texture
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["grain", "hilum", "rasterise", "vessel_tree", "vessels"]

# Upper, middle and lower lobe arteries and veins: degrees from outward towards the feet, radius in cm.
_ANGLES = (-84, -62, -28, 4, 30, 50, 66, 84, -72, 42)
_RADII = (0.36, 0.32, 0.26, 0.28, 0.32, 0.42, 0.58, 0.38, 0.26, 0.28)
# Widths in pixels of the lines drawn together, and the fractional bits of their coordinates.
_WIDTHS, _BITS = (1, 2, 3, 4, 6, 8, 11, 15), 4


def hilum(patient: Patient, side: str) -> tuple[float, float]:
    """Where the vessels enter a lung, cm; the left hilum is a little higher."""
    level = patient.lung_height * (0.43 if side == "right" else 0.385)
    return SIDES[side] * 0.235 * patient.chest_width + (0.3 if side == "left" else -0.3), level


@lru_cache(maxsize=32)
def vessel_tree(patient: Patient, side: str) -> np.ndarray:
    """Segments of one lung's vessels.

    Returns:
        (N, 5): start x, y, end x, y in cm, radius in cm; parents before children.
    """
    rng = generator(patient.seed, "vessels", side)
    start = np.array(hilum(patient, side))
    out = SIDES[side]
    flat: list[float] = []  # one list of numbers: thousands of tuples would trigger the garbage collector
    stack: list[tuple[float, float, float, float, int]] = [
        (
            *(start + rng.normal(0, 0.5, 2)).tolist(),
            math.radians(a + rng.normal(0, 7)),
            r * patient.vessels * rng.normal(1, 0.1),
            0,
        )
        for a, r in zip(_ANGLES, _RADII, strict=True)
    ]
    while stack:
        x, y, angle, radius, depth = stack.pop()
        if radius < 0.028 or depth > 9:
            continue
        reach = _between(0.8, 1.7, rng.random()) * (0.75 + radius * 1.2) / 3
        for bend in rng.standard_normal(3).tolist():
            angle += 0.13 * bend
            flat += x, y
            x, y = x + reach * (out * math.cos(angle)), y + reach * math.sin(angle)
            flat += x, y, radius
        shares = rng.random(3).tolist()
        fork = _between(0.25, 0.6, shares[0])
        big, small = radius * _between(0.78, 0.9, shares[1]), radius * _between(0.45, 0.72, shares[2])
        turn = (-1, 1)[rng.integers(2)]
        stack.append((x, y, angle + turn * fork * 0.35, big, depth + 1))
        stack.append((x, y, angle - turn * fork, small, depth + 1))
    tree = np.array(flat).reshape(-1, 5)
    tree.setflags(write=False)  # it is cached
    return tree


def _between(low: float, high: float, share: float) -> float:
    """Scale a draw in [0, 1) to [low, high), as ``Generator.uniform`` does."""
    return low + (high - low) * share


def vessels(patient: Patient, geometry: RayGeometry) -> Array:
    """Path through the blood of the lung vessels, cm (H, W), hila included."""
    total = np.zeros((geometry.size, geometry.size), np.float32)
    x, y = geometry.plane(0.0)
    for side in SIDES:
        total += rasterise(vessel_tree(patient, side), geometry, x, y)
        hx, hy = hilum(patient, side)
        rng = generator(patient.seed, "hilum", side)
        for _ in range(5):
            place = (hx + rng.normal(0, 0.6), hy + rng.normal(0.5, 1.0))
            total += 0.4 * ellipse(
                x, y, place, (rng.uniform(0.4, 0.9), rng.uniform(0.6, 1.4), 0.8), rng.uniform(0, 3)
            )
    return np.float32(1.15) * total


def rasterise(segments: np.ndarray, geometry: RayGeometry, x: Array, y: Array) -> Array:
    """Draw segments as anti-aliased lines whose brightness gives the right amount of blood."""
    matrix, offset = _pixel_map(x, y)
    corners = np.rint((segments[:, :4].reshape(-1, 2) @ matrix + offset) * 2**_BITS).astype(np.int64)
    corners = corners.reshape(-1, 4)
    pixels = 2 * segments[:, 4] / geometry.spacing
    bins = np.abs(np.log(np.maximum(pixels, 0.8)[:, None] / np.array(_WIDTHS))).argmin(1)
    total = np.zeros(x.shape, np.float32)
    for index, width in enumerate(_WIDTHS):
        chosen = bins == index
        shades = np.minimum(255, 85 * pixels[chosen] / width).tolist()
        ends = corners[chosen].T.tolist()  # four lists of numbers, and no list per line
        for core in (1.0, 0.55) if width > 2 else (1.0,):
            canvas = np.zeros(x.shape, np.uint8)
            thick = max(1, round(width * core))
            for x0, y0, x1, y1, shade in zip(*ends, shades, strict=True):
                cv2.line(canvas, (x0, y0), (x1, y1), shade, thick, cv2.LINE_AA, _BITS)
            # π/2·r is the mean path through a rod; 85 grey levels stand for it
            share = (1.0 if width <= 2 else 0.5) * np.pi / 2 * (width * geometry.spacing / 2) / 85
            total += canvas.astype(np.float32) * np.float32(share)
    return total


def _pixel_map(x: Array, y: Array) -> tuple[np.ndarray, np.ndarray]:
    """The affine map from cm to pixels: (2, 2) matrix for row vectors, and offset."""
    columns = np.array(
        [[x[0, 1] - x[0, 0], y[0, 1] - y[0, 0]], [x[1, 0] - x[0, 0], y[1, 0] - y[0, 0]]], np.float64
    )
    inverse = np.linalg.inv(columns)
    return inverse, -np.array([x[0, 0], y[0, 0]], np.float64) @ inverse


def grain(patient: Patient, geometry: RayGeometry) -> Array:
    """Unevenness of the lung as a relative density (H, W): vessels and walls too small to draw."""
    rng = generator(patient.seed, "grain")
    shape, cm = (geometry.size, geometry.size), geometry.spacing
    field: Array = (
        texture(rng, shape, 0.14 / cm) * 0.8
        + texture(rng, shape, 0.35 / cm) * 0.6
        + texture(rng, shape, 1.1 / cm) * 0.3
    )
    return np.float32(0.032) * field
