"""Bones in the lateral view."""

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.bones import CORTEX, SPONGE, rib_course, rib_section, vertebra_levels
from cxrbench.data.phantom.lungs import cage_half_depth, cage_half_width
from cxrbench.data.phantom.posture import at_level, back, front, middle, spine_depth
from cxrbench.data.phantom.solids import Array, curve, ellipse, half_chord, smoothstep, tube
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["bones"]


def bones(patient: Patient, side: RayGeometry) -> Array:
    """Attenuation of spine, ribs, breastbone, shoulder blades and raised arms in the lateral view (H, W)."""
    total = _spine(patient, side) + _breastbone(patient, side)
    for sign in (-1.0, 1.0):
        total += _ribs(patient, side, sign) + _shoulder(patient, side, sign)
    return np.float32(patient.bone) * total


def _spine(patient: Patient, side: RayGeometry) -> Array:
    """Vertebral bodies with end plates and disc spaces, pedicles, and spinous processes that point down."""
    u, y = side.plane(0.0)
    away = -u - spine_depth(patient, y)
    total = np.zeros_like(away)
    band = np.flatnonzero(np.abs(away).min(0) < 6.5)
    if not len(band):
        return total
    columns = slice(int(band[0]), int(band[-1]) + 1)
    away, y = away[:, columns], y[:, columns]
    step = np.float32(0.5)
    slope = (spine_depth(patient, y + step) - spine_depth(patient, y - step)) / (2 * step)
    level = y + slope * away  # end plates stand across the axis
    rise = vertebra_levels()
    count = np.interp(level, rise, np.arange(len(rise))).astype(np.float32)
    part = count - np.floor(count)
    half = curve([-14, -3, 0, 15, 35], [0.75, 0.85, 1.1, 1.5, 1.75], level)
    waist = half * (1 - 0.09 * np.sin(np.pi * np.minimum(part / 0.85, 1)))
    solid = smoothstep((0.86 - part) / 0.06) * smoothstep(part / 0.06)
    inside = smoothstep((waist - np.abs(away)) / 0.14)
    plates = np.exp(-(((part - 0.06) / 0.04) ** 2)) + np.exp(-(((part - 0.8) / 0.04) ** 2))
    rim = np.exp(-(((np.abs(away) - waist + 0.13) / 0.1) ** 2)) * solid
    bone = inside * (0.05 + 0.2 * solid + 0.16 * plates) + 0.12 * rim
    behind = -away - half  # cm behind the body
    pedicle = (
        smoothstep(behind / 0.2) * smoothstep((1.3 - behind) / 0.5) * np.exp(-(((part - 0.3) / 0.22) ** 2))
    )
    droop = part - np.float32(0.35) - np.float32(0.16) * behind
    droop = droop - np.floor(droop + 0.5)
    process = (
        smoothstep((behind - 0.7) / 0.5) * smoothstep((4.0 - behind) / 1.2) * np.exp(-((droop / 0.17) ** 2))
    )
    total[:, columns] = bone + np.float32(0.14) * pedicle + np.float32(0.12) * process
    return total


def _ribs(patient: Patient, side: RayGeometry, sign: float) -> Array:
    """The ribs of one side: the angle at which a ray crosses the cage gives the descent of a rib."""
    u, y = side.plane(sign * 0.8 * patient.chest_width)
    deep = cage_half_depth(patient, np.maximum(y + 1.3, 0.02)) + np.float32(0.75)
    wide = cage_half_width(patient, np.maximum(y + 1.3, 0.02)) + np.float32(0.75)
    across = (-u - middle(patient, y)) / deep
    outer = half_chord(np.minimum(np.abs(across), 1))
    inner = half_chord(np.minimum(np.abs(across) / (1 - np.float32(0.62) / deep), 1))
    shell = wide * outer - (wide - np.float32(0.62)) * inner
    theta = np.arccos(np.clip(-across, -1, 1))  # 0 at the spine, π/2 at the side
    level = rib_course(patient, y, theta)
    bone, _, rank = rib_section(patient, sign, level)
    keep = smoothstep((np.float32(2.5) - theta) / 0.4) * smoothstep((theta - 0.1) / 0.2)
    keep = keep * (np.where(theta > 1.9, rank < 10, True))
    return bone * np.float32(1.6) * np.tanh(shell / np.float32(1.6)) * keep


def _breastbone(patient: Patient, side: RayGeometry) -> Array:
    """Manubrium, body and xiphoid process of the breastbone, seen edge-on."""
    u, y = side.plane(0.0)
    z, scale = -u, patient.lung_height / 21.5
    total = np.zeros(y.shape, np.float32)
    for start, end, radius in ((2.4, 6.6, 0.62), (6.9, 16.2, 0.52), (16.5, 18.4, 0.25)):
        level = np.linspace(start, end, 5) * scale
        path = np.stack([front(patient, level) + 0.75, level], 1)
        whole, core = tube(z, y, path, radius), tube(z, y, path, 0.72 * radius)
        total += np.float32(2.0 * CORTEX) * (whole - core) + np.float32(1.6 * SPONGE) * core
    return total * np.float32(0.75)


def _shoulder(patient: Patient, side: RayGeometry, sign: float) -> Array:
    """Edge of the shoulder blade, head and shaft of the raised arm, and the clavicle end-on."""
    rng = generator(patient.seed, "raised arm", int(sign > 0))
    u, y = side.plane(sign * 0.9 * patient.chest_width)
    z = -u
    shift = rng.normal(0, 0.6, 2)
    head = np.array([at_level(middle, patient, -2.0) + 0.4, -3.4]) + shift
    levels = np.array([-1.5, 3.0, 8.0, 13.0])
    blade = np.stack([back(patient, levels) + np.array([3.2, 1.2, 0.2, 0.0]), levels], 1) + shift * 0.7
    edge = tube(z, y, blade, np.array([0.55, 0.42, 0.4, 0.15]))
    hollow = tube(z, y, blade, np.array([0.4, 0.26, 0.26, 0.08]))
    bone = np.float32(0.45) * (edge - hollow) + np.float32(0.16) * hollow
    reach = rng.uniform(0.5, 3.5)
    arm = head + np.array([[0, 0], [0.3 * reach, -3.5], [reach, -14]])
    shaft = tube(z, y, arm, np.array([1.7, 1.15, 1.1])) - 0.72 * tube(z, y, arm, np.array([1.6, 0.75, 0.6]))
    ball = ellipse(z, y, (float(head[0]), float(head[1])), (2.3, 2.3, 1.6))
    collar = np.array([[at_level(front, patient, 3.0) + 0.4, 2.8], [head[0] + 1.5, head[1] + 2.2]])
    bar = tube(z, y, collar, 0.6) - 0.6 * tube(z, y, collar, 0.4)
    return bone + np.float32(0.14) * shaft + np.float32(0.05) * ball + np.float32(0.16) * bar
