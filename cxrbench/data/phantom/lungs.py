"""The lungs: apices, costal and mediastinal borders, domes of the diaphragm."""

from dataclasses import dataclass

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.solids import Array, curve, smoothstep
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["SIDES", "Lung", "cage_half_depth", "cage_half_width", "lung"]

# The sign of x on each side of the patient.
SIDES = {"right": -1.0, "left": 1.0}


@dataclass(frozen=True)
class Lung:
    """One lung on the rays of a film, with the coordinates in which findings are placed.

    Attributes:
        side: "right" or "left" of the patient.
        length: path through the lung's space, cm (H, W); 0 outside.
        outward: 0 at the mediastinal border, 1 at the ribs (H, W).
        height: y in cm below the apex (H, W).
        x: distance from the midline, cm, positive on this side (H, W).
        dome: y of the diaphragm below each ray's x, at its top in depth (H, W).
        above: path above the diaphragm only, as if it were flat: 1 above the dome's outline, 0 below (H, W).
        reach: half the depth of the lung, as if there were no diaphragm, cm (H, W).
        ahead: depth at which the dome is highest, cm in front of the middle of the lung.
        cut: distance from `ahead` in depth at which the dome has fallen to the ray's level, cm (H, W).
    """

    side: str
    length: Array
    outward: Array
    height: Array
    x: Array
    dome: Array
    above: Array
    reach: Array
    ahead: float
    cut: Array

    def spans(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Depths (from, to) of lung behind the dome and in front of it, cm from the middle of the lung."""
        hind = (-self.reach, np.clip(self.ahead - self.cut, -self.reach, self.reach))
        fore = (np.clip(self.ahead + self.cut, -self.reach, self.reach), self.reach)
        return hind, fore


def cage_half_width(patient: Patient, y: Array) -> Array:
    """Inside half-width of the chest wall at a level, cm: narrow at the apex, widest above the diaphragm."""
    root = np.sqrt(np.maximum(y, 0) / np.float32(patient.lung_height))
    knots = [0.0, 0.12, 0.2, 0.3, 0.42, 0.56, 0.75, 0.92, 1.1, 1.3]
    width = [0.36, 0.455, 0.525, 0.61, 0.71, 0.81, 0.925, 0.985, 1.0, 0.94]
    return np.float32(patient.chest_width) * curve(knots, width, root)


def cage_half_depth(patient: Patient, y: Array) -> Array:
    """Inside half-depth of the chest at a level, cm."""
    root = np.sqrt(np.maximum(y, 0) / np.float32(patient.lung_height))
    deep = curve([0.0, 0.1, 0.25, 0.5, 0.8, 1.2], [0.3, 0.44, 0.64, 0.86, 1.0, 1.0], root)
    return np.float32(patient.chest_depth) * deep


def lung(
    patient: Patient, geometry: RayGeometry, side: str, *, lift: float = 0.0, shrink: Array | float = 0.0
) -> Lung:
    """Build one lung.

    The path is the superelliptic cross-section between the mediastinal border and the ribs, minus the part
    below the dome y = y₀ + a(x − x₀)² + c(z − z₀)², which is solved for z along the ray.

    Args:
        patient: the body.
        geometry: the rays.
        side: "right" or "left".
        lift: elevation of the dome above the patient's own, cm.
        shrink: how far the costal border moves inwards, cm; in a pneumothorax, the width of the air.

    Returns:
        The lung.
    """
    rng = generator(patient.seed, "lung", side)
    x, y = geometry.plane(0.0)
    x = x * np.float32(SIDES[side])
    outer = cage_half_width(patient, y) * np.float32(rng.normal(1, 0.015)) - np.float32(shrink)
    root = np.sqrt(np.maximum(y, 0) / np.float32(patient.lung_height))
    inner = _inner_border(patient, root, side)
    inner = np.minimum(inner, outer - np.float32(0.01))
    outward = (x - inner) / (outer - inner)
    inside = np.clip(outward, 0, 1)
    section = (
        (1 - inside**2.6) ** 0.45
        * smoothstep(0.12 + 0.88 * np.minimum(inside / 0.42, 1))
        * smoothstep(outward / 0.1)
    )
    reach = cage_half_depth(patient, y) * section * (y > 0)
    dome, length, ahead, cut = _cut(patient, rng, side, x, y, reach, lift)
    above = smoothstep((dome + np.float32(0.3) - y) / np.float32(0.6))
    return Lung(side, length.astype(np.float32), outward, y, x, dome, above, reach, ahead, cut)


def _inner_border(patient: Patient, root: Array, side: str) -> Array:
    """The mediastinal border without the heart, cm from the midline."""
    knots = [0.0, 0.1, 0.2, 0.32, 0.5, 0.75, 1.2]
    left = [0.36, 0.24, 0.18, 0.14, 0.11, 0.09, 0.08]
    right = [0.36, 0.24, 0.175, 0.13, 0.1, 0.085, 0.08]
    share = left if side == "left" else right
    return (
        np.float32(patient.chest_width)
        * np.float32(0.5 + 0.5 * patient.mediastinum)
        * curve(knots, share, root)
    )


def _cut(
    patient: Patient, rng: np.random.Generator, side: str, x: Array, y: Array, reach: Array, lift: float
) -> tuple[Array, Array, float, Array]:
    """The outline of the dome, the path above it, and the `Lung`'s ``ahead`` and ``cut``."""
    top = patient.lung_height + (patient.dome_gap if side == "left" else 0.0) - lift
    centre = patient.chest_width * rng.normal(0.5, 0.025)
    lateral, medial = rng.normal(4.3, 0.6), rng.normal(1.5, 0.35)
    away = (x - np.float32(centre)) / np.float32(patient.chest_width - centre)
    fall = np.where(
        away > 0, np.float32(lateral) * np.maximum(away, 0) ** 2.4, np.float32(medial) * away * away
    )
    dome = np.float32(top) + fall
    depth = np.float32(patient.chest_depth)
    ahead = np.float32(rng.normal(2.5, 0.7))  # the dome is highest in front of the middle
    cut = np.sqrt(np.maximum(y - dome, 0) / np.float32(rng.normal(5.5, 0.6))) * (depth + ahead)
    behind = np.maximum(reach + ahead - cut, 0)
    front = np.maximum(reach - ahead - cut, 0)
    below = np.minimum(behind, reach + ahead) + np.where(reach > ahead, front, 0)
    length = np.where(y <= dome, 2 * reach, np.minimum(below, 2 * reach))
    return dome.astype(np.float32), length, float(ahead), cut.astype(np.float32)
