"""Support devices: pacemaker, central line, tracheal and gastric tube, chest drain, electrodes."""

from collections.abc import Callable
from typing import Final

import numpy as np

from cxrbench.data.phantom.scene import Scene, change
from cxrbench.data.phantom.solids import Array, ellipse, smoothstep, tube

__all__ = ["DEVICES", "bend", "chosen_devices", "support_devices"]


def support_devices(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Add one to five devices; the number grows with the severity."""
    metal = np.zeros_like(scene.added)
    for name in chosen_devices(severity, rng):
        metal = metal + DEVICES[name](scene, rng)
    return change(scene, added=scene.added + metal.astype(np.float32))


def chosen_devices(severity: float, rng: np.random.Generator) -> list[str]:
    """Names of the devices, drawn before any is placed; a second view draws the same ones."""
    count = 1 + int(rng.binomial(4, 0.15 + 0.5 * severity))
    names = list(DEVICES)
    odds = np.array([0.12, 0.26, 0.16 + 0.2 * severity, 0.12 + 0.15 * severity, 0.08, 0.3])
    chosen = rng.choice(len(names), size=min(count, len(names)), replace=False, p=odds / odds.sum())
    return [names[index] for index in sorted(chosen)]


def bend(points: list[tuple[float, float]], steps: int = 6) -> np.ndarray:
    """A smooth path through points (Catmull–Rom), (N, 2)."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        parts.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate([*parts, p[-1:]])


def pacemaker(scene: Scene, rng: np.random.Generator) -> Array:
    """A generator under the left (rarely right) clavicle and one or two leads into the heart."""
    patient, (x, y) = scene.patient, scene.geometry.plane(6.0)
    sign = 1 if rng.random() < 0.85 else -1
    cx, cy = sign * (0.68 * patient.chest_width + rng.normal(0, 0.6)), 6.0 + rng.normal(0, 0.9)
    box = _can(x, y, (cx, cy), (2.3, 2.0), rng.uniform(-0.4, 0.4))
    case = 0.55 * box + 0.5 * smoothstep(box / 0.3) * (1 - smoothstep((box - 0.35) / 0.3))
    fork = patient.lung_height * 0.3
    wires = np.zeros_like(case)
    ends = [(0.42 * patient.heart + 1.5, patient.lung_height - 0.6), (-2.6, patient.lung_height - 5)]
    for end in ends[: int(rng.integers(1, 3))]:
        path = bend(
            [
                (cx - sign * 1.2, cy - 1.6),
                (sign * 5.5, 2.8),
                (sign * 1.5, 4.0),
                (-1.9, fork),
                (-2.2, fork + 6),
                end,
            ]
        )
        wires = wires + 2.6 * tube(x, y, path + rng.normal(0, 0.04, path.shape), 0.11)
        wires = wires + 3.0 * tube(x, y, path[-4:], 0.16)
    return 1.6 * case + wires


def _can(x: Array, y: Array, centre: tuple[float, float], half: tuple[float, float], turn: float) -> Array:
    """1 inside a rounded box and 0 outside, with a thin soft rim."""
    dx, dy = x - centre[0], y - centre[1]
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    radius = (np.abs(u / half[0]) ** 3.2 + np.abs(v / half[1]) ** 3.2) ** (1 / 3.2)
    return smoothstep((1 - radius) / 0.12)


def central_line(scene: Scene, rng: np.random.Generator) -> Array:
    """From neck, clavicle or arm into the superior vena cava."""
    patient, (x, y) = scene.patient, scene.geometry.plane(2.0)
    tip = (-2.0 + rng.normal(0, 0.2), patient.lung_height * rng.uniform(0.32, 0.5))
    sign = -1 if rng.random() < 0.6 else 1
    start: list[list[tuple[float, float]]] = [
        [(sign * 4.2, -7.0), (sign * 3.4, -2), (sign * 2.2, 2.6)],
        [(sign * (patient.chest_width - 1), 4.4), (sign * 6.5, 2.4), (sign * 2.6, 3.2)],
        [
            (sign * (patient.chest_width + 4.5), 12),
            (sign * (patient.chest_width + 1), 3.6),
            (sign * 5.5, 2.4),
            (sign * 2.2, 3.4),
        ],
    ]
    route = start[int(rng.integers(3))] + [(-1.7, 5.2), tip]
    return 1.7 * tube(x, y, bend(route), rng.uniform(0.12, 0.18), hollow=0.4)


def tracheal_tube(scene: Scene, rng: np.random.Generator) -> Array:
    """A tube in the trachea with its dense stripe, its tip above the fork."""
    x, y = scene.geometry.plane(-1.0)
    tip = scene.patient.lung_height * 0.3 + 2 - rng.uniform(2, 6)
    path = bend([(rng.normal(0.2, 0.3), -12), (0.1, -5), (-0.05, tip - 3), (-0.1, tip)])
    return 0.4 * tube(x, y, path, 0.5, hollow=0.72) + 2.0 * tube(x, y, path + np.array([0.36, 0]), 0.07)


def stomach_tube(scene: Scene, rng: np.random.Generator) -> Array:
    """Down the gullet, through the diaphragm, into the stomach."""
    x, y = scene.geometry.plane(-2.5)
    low = scene.patient.lung_height
    end = (rng.uniform(3.5, 7.5), low + rng.uniform(5, 9))
    path = bend([(0.3, -12), (0.5, 0), (0.9, low * 0.45), (1.3, low - 2), (2.4, low + 3), end])
    return 1.3 * tube(x, y, path, 0.22, hollow=0.55) + 1.8 * tube(x, y, path, 0.05)


def chest_drain(scene: Scene, rng: np.random.Generator) -> Array:
    """A drain that enters between the ribs and points to the apex or to the base."""
    patient, (x, y) = scene.patient, scene.geometry.plane(2.0)
    sign, level = rng.choice([-1, 1]), patient.lung_height * rng.uniform(0.5, 0.8)
    tip = (sign * rng.uniform(0.35, 0.6) * patient.chest_width, patient.lung_height * rng.uniform(0.12, 0.7))
    path = bend(
        [
            (sign * (patient.chest_width + patient.fat + 4), level + 3),
            (sign * patient.chest_width * 0.97, level),
            tip,
        ]
    )
    return 0.6 * tube(x, y, path, 0.4, hollow=0.65) + 2.0 * tube(x, y, path + np.array([0.15, 0.1]), 0.06)


def electrodes(scene: Scene, rng: np.random.Generator) -> Array:
    """Three to five electrodes on the skin and their leads across the film."""
    patient, (x, y) = scene.patient, scene.geometry.plane(10.0)
    total = np.zeros_like(scene.added)
    wide, low = patient.chest_width, patient.lung_height
    places = [
        (-0.75 * wide, 3.5),
        (0.75 * wide, 3.5),
        (0.85 * wide, low - 2),
        (-0.85 * wide, low - 1),
        (0.2 * wide, 0.55 * low),
    ]
    away = (rng.choice([-1, 1]) * rng.uniform(3, wide), low + 24)
    for place in places[: int(rng.integers(3, 6))]:
        spot = np.array(place) + rng.normal(0, 1.0, 2)
        disc = ellipse(x, y, (float(spot[0]), float(spot[1])), (0.75, 0.75, 0.3))
        snap = ellipse(x, y, (float(spot[0]), float(spot[1])), (0.35, 0.35, 0.4))
        half = 0.5 * (spot + away) + rng.normal(0, 2.5, 2)
        wire = bend([tuple(spot), (float(half[0]), float(half[1])), away])
        total = total + 0.35 * disc + 2.4 * snap + 2.0 * tube(x, y, wire, 0.075)
    return total


DEVICES: Final[dict[str, Callable[[Scene, np.random.Generator], Array]]] = {
    "pacemaker": pacemaker,
    "central line": central_line,
    "tracheal tube": tracheal_tube,
    "stomach tube": stomach_tube,
    "chest drain": chest_drain,
    "electrodes": electrodes,
}
