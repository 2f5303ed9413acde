"""Curvature of the chest from head to foot, visible in the lateral view only."""

from collections.abc import Callable

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.lungs import cage_half_depth
from cxrbench.data.phantom.solids import Array, curve

__all__ = ["at_level", "back", "front", "middle", "spine_depth"]


def at_level(profile: Callable[[Patient, Array], Array], patient: Patient, y: float) -> np.float32:
    """Value of one of the profiles below at a single level."""
    return np.float32(profile(patient, np.array([y], np.float32))[0])


def middle(patient: Patient, y: Array) -> Array:
    """Depth of the middle of the chest at a level, cm: posterior at the apices, further forward below."""
    bent = np.float32(patient.chest_depth / 9)
    return bent * curve(
        [-14, -5, 0, 3, 7, 14, 22, 34, 48], [0.2, -1.2, -1.9, -1.75, -1.1, -0.1, 0.3, 0.7, 0.7], y
    )


def front(patient: Patient, y: Array) -> Array:
    """Depth of the inside of the front wall, cm."""
    return middle(patient, y) + cage_half_depth(patient, y)


def back(patient: Patient, y: Array) -> Array:
    """Depth of the inside of the back wall beside the spine, cm."""
    return middle(patient, y) - cage_half_depth(patient, y)


def spine_depth(patient: Patient, y: Array) -> Array:
    """Depth of the middle of the vertebral bodies, cm: lordotic neck, kyphotic back, increasing with age."""
    rng = generator(patient.seed, "posture")
    stoop = 1 + 0.12 * rng.standard_normal() + 0.004 * (patient.age - 50)
    round_back = curve([-16, -8, -2, 4, 11, 18, 27, 40], [-2.2, -2.0, -3.7, -5.8, -6.9, -6.4, -4.8, -3.4], y)
    return np.float32(patient.chest_depth / 9) * (np.float32(-5.2) + (round_back + 5.2) * np.float32(stoop))
