"""What can be wrong with a chest: each finding takes a scene and a severity and returns the changed scene.

A severity lies in (0, 1]: at 0.1 a careful reader may miss it, at 1 nobody does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cxrbench.data.phantom import soft
from cxrbench.data.phantom.devices import support_devices
from cxrbench.data.phantom.lungs import SIDES, Lung, lung
from cxrbench.data.phantom.scene import WATER, Scene, change
from cxrbench.data.phantom.solids import Array, ellipse, half_chord, polyline, smoothstep, texture, tube
from cxrbench.data.phantom.vessels import hilum

__all__ = ["FINDINGS", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One finding the phantom can have.

    Attributes:
        name: as in CheXpert.
        add: (scene, severity, rng) → changed scene.
        order: findings are added from low to high; devices lie on top of everything.
    """

    name: str
    add: Callable[[Scene, float, np.random.Generator], Scene]
    order: int


def enlarged_mediastinum(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """A wide upper mediastinum: unfolded aorta, or a mass of nodes."""
    great = soft.great_vessels(scene.patient, scene.geometry, widen=1.2 + 0.6 * severity)
    return change(scene, great=np.maximum(scene.great, great))


def cardiomegaly(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """A heart wider than half the chest: the cardiothoracic ratio becomes 0.51 to 0.68."""
    target = 0.51 + 0.17 * severity
    # measured diameters sit a little off 2·heart and 2·chest_width, because outlines are irregular
    widen = max(target * scene.patient.chest_width / scene.patient.heart, 1.03)
    heart = np.maximum(soft.heart(scene.patient, scene.geometry, widen=widen), scene.heart)
    return change(scene, heart=heart, outlines={**scene.outlines, "heart": heart > 0.5})


def lung_lesion(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """One to three rounded masses, 0.8 to 5 cm wide, lobulated and slightly unsharp."""
    added = scene.added
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        at = _place(scene, rng, 0.2, 0.9)
        radius = (0.45 + 1.9 * severity**1.3) * rng.uniform(0.85, 1.15)
        added = added + np.float32(0.8) * WATER * _lump(scene, rng, at, radius)
    return change(scene, added=added)


def edema(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Fluid round the hila on both sides, thick vessels, and thin septal lines at the bases."""
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
    """A lobe or a part of one filled with fluid, its airways still open and dark."""
    return _filled(scene, severity, rng, patchy=0.25, bronchogram=True)


def pneumonia(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Patchy filling of one or two regions, less solid than a lobar consolidation."""
    scene = _filled(scene, severity, rng, patchy=0.7, bronchogram=True)
    return _filled(scene, 0.6 * severity, rng, patchy=0.8, bronchogram=False) if rng.random() < 0.4 else scene


def lung_opacity(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """An ill-defined veil that no child of the hierarchy explains."""
    return _filled(scene, 0.75 * severity, rng, patchy=0.5, bronchogram=False)


def atelectasis(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Plates above the diaphragm; when severe also a collapsed base, the dome drawn up."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    lungs, solid = dict(scene.lungs), scene.added
    if severity > 0.45:
        lift = 3.2 * (severity - 0.3)
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
            part.x, part.height, np.stack([x, level], 1), np.array([0.1, 0.22, 0.1]) + 0.16 * severity
        )
        solid = solid + WATER * np.float32(1.5 + 3 * severity) * plate * np.minimum(part.length / 6, 1)
    return change(scene, lungs=lungs, added=solid)


def pneumothorax(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Air between lung and ribs, widest at the apex: no vessels there, and the visceral pleura as a thin line."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    share = part.height / np.float32(scene.patient.lung_height)
    gap = np.float32(0.7 + 4.6 * severity)
    shrink = gap * (0.3 + 0.7 * np.clip(1 - share, 0, 1) ** 1.3)
    wave = 1 + 0.07 * texture(rng, shrink.shape, 3.0 / scene.geometry.spacing)
    top = np.float32(0.5 + 2.2 * severity)  # how far the apex came down
    kept = lung(scene.patient, scene.geometry, side, shrink=shrink * wave)
    rim = np.float32(0.06) + np.float32(0.03) * wave
    inside = smoothstep((1 - kept.outward) / (rim / 4)) * smoothstep(
        (part.height - top - 2.2 * (kept.outward - 0.45) ** 2) / 0.12
    )
    taper = half_chord(1 - np.clip((1 - kept.outward) / 0.16, 0, 1))
    left = part.length * (0.45 + 0.55 * taper) * inside
    line = 4 * inside * (1 - inside) * (part.length > 0.3)
    free = np.clip(part.length - left, 0, None)
    gone = np.where(part.length > 0.05, free / np.maximum(part.length, 0.05), 0)
    density = {
        **scene.density,
        side: (scene.density[side] * (1 - gone) + np.float32(0.004) * gone).astype(np.float32),
    }
    blood = scene.blood * np.where(part.x > 0, 1 - gone, 1).astype(np.float32)
    visible = np.float32(0.11) * line * smoothstep((part.dome - part.height) / 1.5)
    grain = scene.grain * np.where(part.x > 0, 1 - gone, 1).astype(np.float32)
    return change(scene, density=density, blood=blood, grain=grain, added=scene.added + visible)


def pleural_effusion(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Fluid in one or both pleural spaces.

    Standing, it fills the costophrenic angle and climbs the ribs as a meniscus; lying (AP), it also spreads as a veil.
    """
    both = rng.random() < 0.35
    first = str(rng.choice(list(SIDES)))
    fluid = dict(scene.fluid)
    for side in SIDES:
        if side != first and not both:
            continue
        strength = severity if side == first else severity * rng.uniform(0.3, 0.9)
        fluid[side] = np.maximum(fluid[side], _pool(scene, scene.lungs[side], strength, rng))
    return change(scene, fluid=fluid)


def _pool(scene: Scene, part: Lung, severity: float, rng: np.random.Generator) -> Array:
    """Share of the lung's space that fluid takes."""
    angle = scene.patient.lung_height + 4.0  # the deepest point of the pleural space
    level = angle - (1.6 + 11.5 * severity**1.2)
    out = np.clip(part.outward, 0, 1)
    climb = np.float32(1.2 + 2.2 * severity) * (out**4 + np.float32(0.25) * (1 - out) ** 4)
    surface = (
        np.float32(level + 1.0)
        - climb
        + np.float32(0.15) * texture(rng, out.shape, 4 / scene.geometry.spacing)
    )
    soft_edge = np.float32(1.2 + 1.3 * severity)
    share = smoothstep((part.height - surface) / soft_edge)
    if scene.geometry.view.arms_down:
        veil = np.float32(0.3 * severity) * smoothstep((part.height - np.float32(level - 9)) / 12)
        share = np.maximum(share * np.float32(0.9), veil)
    return np.where(part.length > 0, share, 0).astype(np.float32)


def pleural_other(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Thick pleura: a cap over the apex or a rind along the ribs, sometimes with chalk."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    thick = 0.3 + 0.9 * severity
    inner = lung(scene.patient, scene.geometry, side, shrink=thick)
    start, span = rng.uniform(0.0, 0.6), rng.uniform(0.3, 0.6)
    share = part.height / np.float32(scene.patient.lung_height)
    where = smoothstep((share - start) / 0.08) * smoothstep((start + span - share) / 0.08)
    rind = np.clip(part.length - inner.length, 0, 6) * where * smoothstep((part.outward - 0.72) / 0.15)
    chalk = np.float32(0.25 * (rng.random() < 0.3)) * (
        texture(rng, rind.shape, 0.5 / scene.geometry.spacing) > 1
    )
    return change(scene, added=scene.added + WATER * rind * (np.float32(0.75) + chalk))


def fracture(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """One to four ribs broken at the side: a gap, a step, and callus round it; easy to miss, as in life."""
    sign = float(rng.choice([-1, 1]))
    x, y = scene.geometry.plane(-0.3 * scene.patient.chest_depth)
    bone, out = scene.bone, rng.uniform(0.74, 0.9)
    level = rng.uniform(0.25, 0.6) * scene.patient.lung_height
    gap = scene.patient.lung_height / 9.6
    for rank in range(int(rng.integers(1, 3 + round(2 * severity)))):
        at = (sign * scene.patient.chest_width * (out + rng.normal(0, 0.015)), level + rank * gap)
        callus = ellipse(x, y, at, (0.55 + 0.5 * severity, 0.55 + 0.35 * severity, 0.5))
        crack = np.array([[-0.25, -0.75], [0.1, 0.0], [-0.05, 0.75]]) + at
        cut = tube(x, y, crack, 0.1 + 0.12 * severity)
        bone = np.maximum(bone * (1 - np.minimum(cut * 4, 0.75)), 0) + np.float32(
            0.12 + 0.22 * severity
        ) * callus * (cut == 0)
    return change(scene, bone=bone)


def _place(scene: Scene, rng: np.random.Generator, top: float, bottom: float) -> tuple[str, float, float]:
    """A side, and a point in that lung (distance from the midline and level, cm) that has lung before and behind it."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    thick = part.length * (part.outward > 0.1) * (part.height < bottom * scene.patient.lung_height)
    rows, columns = np.nonzero(
        (thick > 6) & (part.height > top * scene.patient.lung_height) & (part.outward < 0.9)
    )
    if not len(rows):
        return side, 0.55 * scene.patient.chest_width, 0.5 * scene.patient.lung_height
    # a fixed fraction of the list, so that the same draw means the same place at every picture size
    pick = min(int(rng.random() * len(rows)), len(rows) - 1)
    return side, float(part.x[rows[pick], columns[pick]]), float(part.height[rows[pick], columns[pick]])


def _lump(scene: Scene, rng: np.random.Generator, at: tuple[str, float, float], radius: float) -> Array:
    """Path through a lobulated mass that stays within the lung, cm."""
    part = scene.lungs[at[0]]
    mass = np.zeros(part.x.shape, np.float32)
    for _ in range(4):
        shift = rng.normal(0, 0.28 * radius, 2)
        radii = radius * rng.uniform(0.62, 0.95, 3)
        blob = ellipse(
            part.x, part.height, (at[1] + shift[0], at[2] + shift[1]), tuple(radii), rng.uniform(0, 3)
        )
        mass = np.maximum(mass, blob)
    return np.minimum(mass, part.length)


def _clouds(scene: Scene, rng: np.random.Generator, centimetres: float) -> Array:
    """Uneven filling around 0, in grains of that size and half of it."""
    shape, grain = scene.body.shape, centimetres / scene.geometry.spacing
    return np.float32(0.7) * texture(rng, shape, grain) + np.float32(0.5) * texture(rng, shape, grain / 2)


def _filled(
    scene: Scene, severity: float, rng: np.random.Generator, *, patchy: float, bronchogram: bool
) -> Scene:
    """Airspace filled around a point of one lung, fading outwards."""
    side, cx, cy = _place(scene, rng, 0.25, 0.95)
    part = scene.lungs[side]
    wide, high = (rng.uniform(1.8, 3.2) + 2.6 * severity for _ in range(2))
    reach = np.sqrt(
        ((part.x - np.float32(cx)) / np.float32(wide)) ** 2
        + ((part.height - np.float32(cy)) / np.float32(high)) ** 2
    )
    filled = smoothstep((1.15 - reach + np.float32(0.3 * patchy) * _clouds(scene, rng, 1.5)) / 0.75)
    filled = filled * np.clip(1 + np.float32(0.45 * patchy) * _clouds(scene, rng, 0.8), 0.15, 1.2)
    if bronchogram:
        hx, hy = hilum(scene.patient, side)
        for _ in range(3):
            end = np.array([cx, cy]) + rng.normal(0, 0.6, 2) * [wide, high]
            path = np.array(
                [[abs(hx), hy], 0.5 * (np.array([abs(hx), hy]) + end) + rng.normal(0, 0.4, 2), end]
            )
            window, distance, _ = polyline(part.x, part.height, path, 0.22)
            filled[window] *= 1 - np.float32(0.4) * half_chord(np.minimum(distance / 0.16, 1))
    share = np.float32(0.12 + 0.42 * severity) * filled * (part.length > 0)
    return change(scene, fluid={**scene.fluid, side: np.maximum(scene.fluid[side], np.minimum(share, 1))})


FINDINGS: Final = {
    finding.name: finding
    for finding in (
        Finding("Enlarged Cardiomediastinum", enlarged_mediastinum, 0),
        Finding("Cardiomegaly", cardiomegaly, 1),
        Finding("Atelectasis", atelectasis, 2),
        Finding("Lung Opacity", lung_opacity, 3),
        Finding("Edema", edema, 4),
        Finding("Consolidation", consolidation, 5),
        Finding("Pneumonia", pneumonia, 6),
        Finding("Lung Lesion", lung_lesion, 7),
        Finding("Pleural Effusion", pleural_effusion, 8),
        Finding("Pleural Other", pleural_other, 9),
        Finding("Pneumothorax", pneumothorax, 10),
        Finding("Fracture", fracture, 11),
        Finding("Support Devices", support_devices, 12),
    )
}
