"""Findings of the pleural space: fluid, air, thickening."""

import numpy as np

from cxrbench.data.phantom.lungs import SIDES, Lung, lung
from cxrbench.data.phantom.scene import WATER, Scene, change
from cxrbench.data.phantom.solids import Array, half_chord, smoothstep, texture

__all__ = ["pleural_effusion", "pleural_other", "pneumothorax"]


def pleural_effusion(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Fluid in one or both pleural spaces.

    In a standing patient it fills the costophrenic angle and rises along the ribs as a meniscus; in a lying
    one (AP) it also spreads as a veil.
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
    """Fraction of the lung's space that is filled with fluid."""
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


def pneumothorax(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Air without vessels between lung and ribs, widest at the apex, and the pleura as a thin line."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    share = part.height / np.float32(scene.patient.lung_height)
    gap = np.float32(0.25 + 5.0 * severity)
    # a small pneumothorax is a cap over the apex; only a large one extends to the diaphragm
    shrink = gap * (0.4 * severity + np.float32(1 - 0.4 * severity) * np.clip(1.05 - share, 0, 1) ** 1.6)
    wave = 1 + 0.07 * texture(rng, shrink.shape, 3.0 / scene.geometry.spacing)
    top = np.float32(0.15 + 2.5 * severity)  # how far the apex came down
    kept = lung(scene.patient, scene.geometry, side, shrink=shrink * wave)
    rim = np.float32(0.06) + np.float32(0.03) * wave
    inside = smoothstep((1 - kept.outward) / (rim / 4)) * smoothstep(
        (part.height - top - 2.2 * (kept.outward - 0.45) ** 2) / 0.12
    )
    taper = half_chord(1 - np.clip((1 - kept.outward) / 0.16, 0, 1))
    parted = smoothstep((shrink - 0.12) / 0.3)  # where the two layers of the pleura are separated
    kept_length = part.length * (1 - parted * (1 - (0.45 + 0.55 * taper) * inside))
    line = 4 * inside * (1 - inside) * (part.length > 0.3) * parted
    free = np.clip(part.length - kept_length, 0, None)
    lost = np.where(part.length > 0.05, free / np.maximum(part.length, 0.05), 0)
    density = {
        **scene.density,
        side: (scene.density[side] * (1 - lost) + np.float32(0.004) * lost).astype(np.float32),
    }
    blood = scene.blood * np.where(part.x > 0, 1 - lost, 1).astype(np.float32)
    visible = np.float32(0.11) * line * smoothstep((part.dome - part.height) / 1.5)
    grain = scene.grain * np.where(part.x > 0, 1 - lost, 1).astype(np.float32)
    return change(scene, density=density, blood=blood, grain=grain, added=scene.added + visible)


def pleural_other(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Thick pleura: a cap over the apex or a rind along the ribs, sometimes calcified."""
    side = str(rng.choice(list(SIDES)))
    part = scene.lungs[side]
    thick = 0.4 + 1.3 * severity
    inner = lung(scene.patient, scene.geometry, side, shrink=thick)
    start, span = rng.uniform(0.0, 0.5), rng.uniform(0.4, 0.7)
    share = part.height / np.float32(scene.patient.lung_height)
    where = smoothstep((share - start) / 0.08) * smoothstep((start + span - share) / 0.08)
    rind = np.clip(part.length - inner.length, 0, 6) * where * smoothstep((part.outward - 0.72) / 0.15)
    chalk = np.float32(0.25 * (rng.random() < 0.3)) * (
        texture(rng, rind.shape, 0.5 / scene.geometry.spacing) > 1
    )
    return change(scene, added=scene.added + WATER * rind * (np.float32(0.75) + chalk))
