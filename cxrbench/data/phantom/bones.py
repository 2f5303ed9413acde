"""Ribs and spine as attenuation beyond that of the water that they displace."""

import numpy as np
from numpy.typing import NDArray

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.lungs import cage_half_width
from cxrbench.data.phantom.solids import (
    Array,
    curve,
    half_chord,
    smoothstep,
)
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["CORTEX", "SPONGE", "rib_course", "rib_section", "ribs", "spine", "vertebra_levels"]

# Linear attenuation beyond water at about 60 keV, per cm.
CORTEX, SPONGE = 0.40, 0.15


def rib_levels(patient: Patient, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the twelve ribs at the spine, and half their heights, cm."""
    rng = generator(patient.seed, "ribs", int(side > 0))
    gap = patient.lung_height / 9.6 * np.linspace(0.84, 1.1, 11)
    level = -0.4 + np.concatenate([[0], np.cumsum(gap)]) + rng.normal(0, 0.08, 12)
    return level, rng.normal(0.56, 0.03, 12) * np.array([1.0, 0.95] + [1] * 8 + [0.85, 0.65])


def rib_course(patient: Patient, y: Array, theta: Array) -> Array:
    """Level at the spine of the rib through a point of the shell: ribs descend from back to front.

    Args:
        patient: the body.
        y: level of a point of the shell, cm.
        theta: its angle around the cage, 0 at the spine, π/2 at the side, π at the breastbone.

    Returns:
        Level at which a rib through the point leaves the spine, cm.
    """
    sag = generator(patient.seed, "rib course").normal(1, 0.12)
    drop = curve([0, 0.35, 0.8, np.pi / 2, 2.1, 2.7, 3.14], [0.05, -0.05, 0.08, 0.5, 0.86, 1.12, 1.22], theta)
    return y - drop * (np.float32(3.4 * sag) + np.float32(0.26) * np.clip(y, 0, 22))


def vertebra_levels() -> np.ndarray:
    """Levels of the upper end plates from the neck to the loins, cm below the apex."""
    return np.concatenate(
        [np.arange(-16.5, -2, 1.55), -1.7 + np.concatenate([[0], np.cumsum(np.linspace(1.95, 3.1, 18))])]
    )


def ribs(patient: Patient, geometry: RayGeometry) -> Array:
    """Attenuation of all ribs (H, W), from the shell of the rib cage that each ray crosses twice.

    The angle θ of a crossing around the cage (0 at the spine, π/2 at the side) gives how far a rib has
    descended there; the level minus this descent identifies the rib and the distance from its axis. The path
    through the shell grows towards the side, where rays are tangential.
    """
    total = np.zeros((geometry.size, geometry.size), np.float32)
    for depth, back in ((-0.62 * patient.chest_depth, True), (0.62 * patient.chest_depth, False)):
        x, y = geometry.plane(depth)
        outer = cage_half_width(patient, np.maximum(y + 1.3, 0.02)) + np.float32(0.75)
        across = np.abs(x) / outer
        shell = half_chord(np.minimum(across, 1)) * outer - half_chord(
            np.minimum(across / (1 - 0.62 / outer), 1)
        ) * (outer - np.float32(0.62))
        theta = np.arcsin(np.minimum(across, 1))
        theta = theta if back else np.float32(np.pi) - theta
        total += _layer(patient, x, y, theta, shell, back)
    return np.float32(patient.bone) * total


def rib_section(patient: Patient, sign: float, level: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """Cross-section of a rib: a rim of cortex around its marrow.

    Args:
        patient: the body.
        sign: of the side, −1 or 1.
        level: of each ray at the spine, corrected for the descent of the rib, cm.

    Returns:
        The bone, relative to the rib's thickness; the distance from the axis, in half heights of the rib; and
        the nearest rib, 0 to 11.
    """
    rib_level, half = rib_levels(patient, sign)
    rank = np.clip(np.rint(np.interp(level, rib_level, np.arange(12))), 0, 11).astype(np.intp)
    away = (level - rib_level.astype(np.float32)[rank]) / half.astype(np.float32)[rank]
    whole = half_chord(np.minimum(np.abs(away), 1))
    marrow = half_chord(np.minimum(np.abs(away + 0.05) / np.float32(0.84), 1))
    bone = np.float32(CORTEX) * (whole - np.float32(0.82) * marrow) + np.float32(SPONGE) * marrow
    return bone, away, rank


def _layer(patient: Patient, x: Array, y: Array, theta: Array, shell: Array, back: bool) -> Array:
    """The ribs of the back or of the front half of the cage.

    At the side, where a ray is tangential to the shell, the ribs descend by more than their distance within
    its path: the ray crosses ribs and gaps in turn, so the picture there is the mean of both.
    """
    layer = np.zeros(x.shape, np.float32)
    for sign in (-1.0, 1.0):
        columns = np.flatnonzero((x * np.float32(sign) > 0).any(0))
        if len(columns):
            half = np.s_[:, columns[0] : columns[-1] + 1]
            layer[half] += _side(patient, x[half], y[half], theta[half], shell[half], back, sign)
    return layer


def _side(patient: Patient, x: Array, y: Array, theta: Array, shell: Array, back: bool, sign: float) -> Array:
    """``_layer`` on one side of the patient; 0 on the other."""
    level = rib_course(patient, y, theta)
    smear = np.float32(0.85) * smoothstep((shell - np.float32(1.5)) / np.float32(1.8))
    path = np.float32(2.3) * np.tanh(shell / np.float32(2.3))
    rib_level, _ = rib_levels(patient, sign)
    bone, away, rank = rib_section(patient, sign, level)
    bone = bone + np.float32(0.05) * np.exp(-(((np.abs(away) - np.float32(0.88)) / np.float32(0.1)) ** 2))
    mean = np.float32(0.105) * smoothstep((level - np.float32(rib_level[0])) / 1.5)
    mean = mean * smoothstep((np.float32(rib_level[10]) - level) / 1.5)
    bone = bone + smear * (mean - bone)
    if back:
        keep = smoothstep((np.abs(x) - 1.7) / 0.4) * (rank < 12)
    else:
        keep = smoothstep((np.abs(x) / np.float32(patient.chest_width) - 0.36) / 0.16)
        keep = keep * (rank < 10)
    strength = np.float32(0.95 if back else 0.45)
    return np.where(x * np.float32(sign) > 0, bone * path * keep, 0) * strength


def spine(patient: Patient, geometry: RayGeometry) -> Array:
    """Vertebral bodies with end plates, discs, pedicles, spinous and transverse processes (H, W)."""
    rng = generator(patient.seed, "spine")
    x, y = geometry.plane(-5.0)
    bend = rng.normal(0, 0.35)
    x = x - np.float32(bend) * np.sin(y * np.float32(0.14) + np.float32(rng.uniform(0, 6)))
    total = np.zeros(x.shape, np.float32)
    band = np.flatnonzero(np.abs(x).min(0) < 3.4)
    if not len(band):
        return total
    columns = slice(int(band[0]), int(band[-1]) + 1)
    px, py = x[:, columns], y[:, columns]
    rise = vertebra_levels()
    count = curve([float(v) for v in rise], [float(i) for i in range(len(rise))], py)
    part = count - np.floor(count)  # 0 at an upper end plate, 1 at the next
    half = curve([-14, -3, 0, 15, 35], [1.3, 1.4, 1.55, 1.75, 2.3], py)
    waist = half * (1 - 0.1 * np.sin(np.pi * np.minimum(part / 0.85, 1)))
    solid = smoothstep((0.87 - part) / 0.11) * smoothstep(part / 0.08)
    plates = np.exp(-(((part - 0.05) / 0.035) ** 2)) + np.exp(-(((part - 0.8) / 0.035) ** 2))
    across = half_chord(np.minimum(np.abs(px) / waist, 1))
    edge = np.exp(-(((np.abs(px) - waist + 0.12) / 0.1) ** 2)) * solid
    body = curve([-8, 3, 14], [0.08, 0.12, 0.2], py)  # larger further down
    bone = across * (body + solid * 0.1 + 0.05 * plates) + 0.03 * edge
    for offset in (-1, 1):
        ring = np.sqrt(((px - offset * 0.68 * half) / 0.36) ** 2 + ((part - 0.33) / 0.2) ** 2)
        bone += 0.06 * np.exp(-(((ring - 0.85) / 0.3) ** 2))
        bone += (
            0.1
            * half_chord(
                np.minimum(np.sqrt(((np.abs(px) - half - 0.6) / 0.95) ** 2 + ((part - 0.4) / 0.16) ** 2), 1)
            )
            / 2
        )
    bone += 0.07 * half_chord(np.minimum(np.sqrt((px / 0.32) ** 2 + ((part - 0.72) / 0.24) ** 2), 1))
    total[:, columns] = bone
    return np.float32(patient.bone) * total
