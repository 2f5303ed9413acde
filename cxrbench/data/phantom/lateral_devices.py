"""Support devices in the lateral view: those of the patient's frontal film."""

from collections.abc import Callable
from typing import Final

import numpy as np

from cxrbench.data.phantom.devices import bend, chosen_devices
from cxrbench.data.phantom.lateral import LateralScene
from cxrbench.data.phantom.posture import at_level, front, middle, spine_depth
from cxrbench.data.phantom.solids import Array, ellipse, smoothstep, tube

__all__ = ["LATERAL_DEVICES", "lateral_devices"]


def lateral_devices(scene: LateralScene, severity: float, rng: np.random.Generator) -> Array:
    """Attenuation of the devices drawn from this stream, in the lateral view (H, W)."""
    total = np.zeros_like(scene.added)
    for name in chosen_devices(severity, rng):
        total = total + LATERAL_DEVICES[name](scene, rng)
    return total.astype(np.float32)


def _pacemaker(scene: LateralScene, rng: np.random.Generator) -> Array:
    """A thin generator in front of the upper chest, and leads that end low in the front of the heart."""
    patient, (u, y) = scene.patient, scene.side.plane(8.0)
    z, level = -u, 6.0 + rng.normal(0, 0.9)
    skin = float(at_level(front, patient, level)) + 1.6
    turn = -0.25
    dz, dy = z - np.float32(skin), y - np.float32(level)
    across, along = dz * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dz * np.sin(turn)
    radius = (np.abs(across / 0.45) ** 3 + np.abs(along / 2.1) ** 3) ** (1 / 3)
    case = 2.2 * smoothstep((1 - radius) / 0.15)
    fork = patient.lung_height * 0.3
    low = patient.lung_height - 1.0
    ends = [
        (float(at_level(front, patient, low)) - 2.2, low),
        (float(at_level(middle, patient, fork + 8)) + 3.5, fork + 8),
    ]
    wires = np.zeros_like(case)
    for end in ends[: int(rng.integers(1, 3))]:
        path = bend([(skin, level - 1.8), (skin - 2.5, 2.6), (1.2, 4.2), (1.0, fork), (1.2, fork + 6), end])
        wires = wires + 2.6 * tube(z, y, path, 0.11) + 3.0 * tube(z, y, path[-4:], 0.16)
    return case + wires


def _central_line(scene: LateralScene, rng: np.random.Generator) -> Array:
    """A line from the neck or from below the clavicle into the superior vena cava."""
    patient, (u, y) = scene.patient, scene.side.plane(-2.0)
    tip = patient.lung_height * rng.uniform(0.32, 0.5)
    start = [(-1.0, -9.0), (0.2, -3.0)] if rng.random() < 0.5 else [(2.5, 6.0), (3.5, 2.8)]
    path = bend([*start, (1.5, 3.2), (1.0, tip - 2.5), (1.2, tip)])
    return 1.1 * tube(-u, y, path, rng.uniform(0.1, 0.16), hollow=0.4)


def _tracheal_tube(scene: LateralScene, rng: np.random.Generator) -> Array:
    """A tube in the trachea with its dense stripe."""
    patient, (u, y) = scene.patient, scene.side.plane(0.0)
    fork = patient.lung_height * 0.3 + 2
    level = np.array([-13.0, -7.0, -2.0, 2.0, fork - rng.uniform(2, 6)])
    path = bend(
        [
            (float(z), float(v))
            for z, v in zip(
                spine_depth(patient, level) + np.array([2.6, 2.5, 3.2, 4.2, 4.8]), level, strict=True
            )
        ]
    )
    return 0.28 * tube(-u, y, path, 0.5, hollow=0.72) + 1.6 * tube(-u, y, path + np.array([0.36, 0]), 0.07)


def _stomach_tube(scene: LateralScene, rng: np.random.Generator) -> Array:
    """A tube through the oesophagus in front of the spine, then forward into the stomach."""
    patient, (u, y) = scene.patient, scene.side.plane(1.0)
    low = patient.lung_height
    levels = [-12.0, 0.0, low * 0.45, low - 2]
    path = [(float(at_level(spine_depth, patient, v)) + 2.3, v) for v in levels]
    end = low + rng.uniform(5, 9)
    path = [*path, (0.0, low + 3), (rng.uniform(2.0, 5.0), end)]
    line = bend(path)
    return 0.9 * tube(-u, y, line, 0.2, hollow=0.55) + 1.2 * tube(-u, y, line, 0.05)


def _chest_drain(scene: LateralScene, rng: np.random.Generator) -> Array:
    """A drain that enters at the side and points to the apex or to the base behind."""
    patient = scene.patient
    sign, level = rng.choice([-1, 1]), patient.lung_height * rng.uniform(0.5, 0.8)
    u, y = scene.side.plane(sign * 0.8 * patient.chest_width)
    tip = patient.lung_height * rng.uniform(0.12, 0.7)
    deep = rng.uniform(-0.5, 0.4) * patient.chest_depth
    path = bend([(rng.normal(0.5, 1.0), level + 2), (rng.normal(0, 1.0), level - 0.5), (deep, tip)])
    return 0.5 * tube(-u, y, path, 0.4, hollow=0.65) + 1.5 * tube(-u, y, path + np.array([0.15, 0.1]), 0.06)


def _electrodes(scene: LateralScene, rng: np.random.Generator) -> Array:
    """Electrodes on the skin of the chest, and their leads towards the feet."""
    patient, (u, y) = scene.patient, scene.side.plane(0.0)
    total, low = np.zeros_like(scene.added), patient.lung_height
    away = (rng.uniform(2, 8), low + 24)
    for level in (3.5, 4.2, low - 2, low - 1, 0.55 * low)[: int(rng.integers(3, 6))]:
        v = level + rng.normal(0, 1.0)
        spot = (float(at_level(front, patient, v)) + 0.8 * patient.fat - abs(rng.normal(0, 2.0)), v)
        disc = ellipse(-u, y, spot, (0.35, 0.75, 0.6))
        snap = ellipse(-u, y, spot, (0.3, 0.35, 0.4))
        half = (0.5 * (spot[0] + away[0]) + rng.normal(0, 1.5), 0.5 * (spot[1] + away[1]))
        total = total + 0.4 * disc + 2.4 * snap + 2.0 * tube(-u, y, bend([spot, half, away]), 0.075)
    return total


LATERAL_DEVICES: Final[dict[str, Callable[[LateralScene, np.random.Generator], Array]]] = {
    "pacemaker": _pacemaker,
    "central line": _central_line,
    "tracheal tube": _tracheal_tube,
    "stomach tube": _stomach_tube,
    "chest drain": _chest_drain,
    "electrodes": _electrodes,
}
