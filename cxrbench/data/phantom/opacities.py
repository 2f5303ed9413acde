"""Findings of the lung itself: lesion, edema, filled airspaces, collapse."""

from dataclasses import replace

import numpy as np

from cxrbench.data.phantom.lungs import SIDES, lung
from cxrbench.data.phantom.scene import WATER, Scene, change
from cxrbench.data.phantom.solids import Array, ellipse, half_chord, polyline, smoothstep, texture, tube
from cxrbench.data.phantom.vessels import hilum

__all__ = ["atelectasis", "consolidation", "edema", "lung_lesion", "lung_opacity", "pneumonia"]


def lung_lesion(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """One to three rounded masses, 1 to 6 cm wide, lobulated and slightly unsharp."""
    added = scene.added
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        place = _draw_place(scene, rng, 0.2, 0.9)
        radius = (0.6 + 2.2 * severity**1.3) * rng.uniform(0.85, 1.15)
        added = added + np.float32(0.8) * WATER * _lump(scene, rng, place, radius)
    return change(scene, added=added)


def edema(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Fluid around the hila on both sides, thick vessels, and thin septal lines at the bases."""
    density = {}
    for side, part in scene.lungs.items():
        hx, hy = hilum(scene.patient, side)
        reach = np.sqrt(((part.x - abs(hx)) / 5.5) ** 2 + ((part.height - hy - 2) / 7.5) ** 2)
        wing = smoothstep(1.5 - reach) * (0.8 + 0.22 * _clouds(scene, rng, 1.6))
        streaks = np.abs(texture(rng, part.x.shape, 0.22 / scene.geometry.spacing)) * smoothstep(
            (part.outward - 0.4) / 0.5
        )
        more = (
            np.float32(0.05 + 0.24 * severity) * np.maximum(wing, 0)
            + np.float32(0.02 + 0.05 * severity) * streaks
        )
        density[side] = np.minimum(scene.density[side] + more, 1)
    return change(scene, density=density, blood=scene.blood * np.float32(1.15 + 0.35 * severity))


def consolidation(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """A part of a lobe filled with fluid up to the fissure, its airways still open and dark."""
    return _fill_airspace(scene, severity, rng, patchy=0.2, bronchogram=True, least=0.28, lobar=True)


def pneumonia(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Patchy filling of two or three regions, less solid than a lobar consolidation."""
    for share in (1.0, 0.8, 0.6)[: 1 + int(rng.integers(1, 3))]:
        scene = _fill_airspace(scene, share * severity, rng, patchy=0.5, bronchogram=share == 1, least=0.2)
    return scene


def lung_opacity(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """An ill-defined opacity that is none of the more specific findings of the hierarchy."""
    return _fill_airspace(scene, 0.75 * severity, rng, patchy=0.5, bronchogram=False)


def atelectasis(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Plates above the diaphragm; when severe also a collapsed base with a raised dome."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    lungs, solid = dict(scene.lungs), scene.added
    if severity > 0.35:
        lift = 4.5 * (severity - 0.2)
        moved = lung(scene.patient, scene.geometry, side, lift=lift)
        lungs[side] = part = replace(moved, length=np.minimum(moved.length, part.length))
    for _ in range(int(rng.integers(1, 4))):
        start = np.array([rng.uniform(0.2, 0.45), rng.uniform(1.2, 4.5)])
        reach = rng.uniform(0.2, 0.5) + 0.1 * severity
        x = np.array([start[0], start[0] + reach / 2, start[0] + reach]) * scene.patient.chest_width
        level = (
            scene.patient.lung_height - start[1] + np.array([0, rng.normal(-0.1, 0.2), rng.normal(0, 0.9)])
        )
        plate = tube(
            part.x, part.height, np.stack([x, level], 1), np.array([0.12, 0.26, 0.12]) + 0.26 * severity
        )
        solid = solid + WATER * np.float32(2.4 + 1.4 * severity) * plate * np.minimum(part.length / 6, 1)
    return change(scene, lungs=lungs, added=solid)


def _draw_place(
    scene: Scene, rng: np.random.Generator, top: float, bottom: float
) -> tuple[str, float, float]:
    """Draw a side and a point of that lung (distance from the midline, level; cm) where it is thick."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    thick = part.length * (part.outward > 0.1) * (part.height < bottom * scene.patient.lung_height)
    rows, columns = np.nonzero(
        (thick > 6) & (part.height > top * scene.patient.lung_height) & (part.outward < 0.9)
    )
    if not len(rows):
        return side, 0.55 * scene.patient.chest_width, 0.5 * scene.patient.lung_height
    # a fixed fraction of the list, so that the same draw gives the same place at every picture size
    pick = min(int(rng.random() * len(rows)), len(rows) - 1)
    return side, float(part.x[rows[pick], columns[pick]]), float(part.height[rows[pick], columns[pick]])


def _lump(scene: Scene, rng: np.random.Generator, place: tuple[str, float, float], radius: float) -> Array:
    """Path through a lobulated mass that stays within the lung, cm."""
    part = scene.lungs[place[0]]
    mass = np.zeros(part.x.shape, np.float32)
    for _ in range(4):
        shift = rng.normal(0, 0.28 * radius, 2)
        radii = radius * rng.uniform(0.62, 0.95, 3)
        blob = ellipse(
            part.x, part.height, (place[1] + shift[0], place[2] + shift[1]), tuple(radii), rng.uniform(0, 3)
        )
        mass = np.maximum(mass, blob)
    return np.minimum(mass, part.length)


def _clouds(scene: Scene, rng: np.random.Generator, centimetres: float) -> Array:
    """Uneven filling with mean 0, in grains of this size and half of it."""
    shape, grain = scene.body.shape, centimetres / scene.geometry.spacing
    return np.float32(0.7) * texture(rng, shape, grain) + np.float32(0.5) * texture(rng, shape, grain / 2)


def _fill_airspace(
    scene: Scene,
    severity: float,
    rng: np.random.Generator,
    *,
    patchy: float,
    bronchogram: bool,
    least: float = 0.12,
    lobar: bool = False,
) -> Scene:
    """Fill airspace around a point of one lung, fading outwards; if lobar, with a sharp end at a fissure."""
    side, cx, cy = _draw_place(scene, rng, 0.25, 0.95)
    part = scene.lungs[side]
    wide, high = (rng.uniform(1.8, 3.2) + 2.6 * severity for _ in range(2))
    reach = np.sqrt(
        ((part.x - np.float32(cx)) / np.float32(wide)) ** 2
        + ((part.height - np.float32(cy)) / np.float32(high)) ** 2
    )
    filled = smoothstep((1.15 - reach + np.float32(0.3 * patchy) * _clouds(scene, rng, 1.5)) / 0.75)
    filled = filled * np.clip(1 + np.float32(0.45 * patchy) * _clouds(scene, rng, 0.8), 0.15, 1.2)
    if lobar:
        filled = filled * smoothstep(
            (part.height - np.float32(cy - 0.35 * high) + np.float32(0.12) * (part.x - cx)) / 0.6
        )
    if bronchogram:
        hx, hy = hilum(scene.patient, side)
        for _ in range(3):
            end = np.array([cx, cy]) + rng.normal(0, 0.6, 2) * [wide, high]
            path = np.array(
                [[abs(hx), hy], 0.5 * (np.array([abs(hx), hy]) + end) + rng.normal(0, 0.4, 2), end]
            )
            window, distance, _ = polyline(part.x, part.height, path, 0.22)
            filled[window] *= 1 - np.float32(0.4) * half_chord(np.minimum(distance / 0.16, 1))
    share = np.float32(least + 0.42 * severity) * filled * (part.length > 0)
    return change(scene, fluid={**scene.fluid, side: np.maximum(scene.fluid[side], np.minimum(share, 1))})
