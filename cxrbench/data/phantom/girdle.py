"""Bones of the shoulder girdle: clavicles, shoulder blades and upper arms, as attenuation beyond water."""

from itertools import pairwise

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.bones import CORTEX, SPONGE
from cxrbench.data.phantom.soft import arm_path
from cxrbench.data.phantom.solids import Array, ellipse, polyline, smoothstep, tube
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["girdle"]


def girdle(patient: Patient, geometry: RayGeometry) -> Array:
    """Clavicles, shoulder blades and upper arms (H, W)."""
    rng = generator(patient.seed, "girdle", int(geometry.view.arms_down))
    total = np.zeros((geometry.size, geometry.size), np.float32)
    slope = rng.normal(-2.4, 1.1) + (0.9 if geometry.view.arms_down else 0.0)
    for sign in (-1.0, 1.0):
        total += _clavicle(patient, geometry, sign, slope + rng.normal(0, 0.3))
        total += _humerus(patient, geometry, sign)
        total += _scapula(patient, geometry, sign, rng)
    return np.float32(patient.bone) * total


def _hollow(
    x: Array, y: Array, path: np.ndarray, radius: float | np.ndarray, wall: float | np.ndarray
) -> Array:
    """A long bone: spongy bone in a cortex whose thickness is ``wall`` times the radius."""
    whole = tube(x, y, path, radius)
    core = tube(x, y, path, np.asarray(radius) * (1 - wall))
    return np.float32(CORTEX) * (whole - core) + np.float32(SPONGE) * core


def _clavicle(patient: Patient, geometry: RayGeometry, sign: float, slope: float) -> Array:
    """An S from the breastbone to the tip of the shoulder: wide at its start, flat at its end."""
    x, y = geometry.plane(0.5 * patient.chest_depth)
    end = patient.chest_width + 1.0
    along = np.linspace(0, 1, 13)
    level = 3.4 + slope * along + 0.75 * np.sin(2 * np.pi * along) * np.where(along < 0.5, 0.6, 1.0)
    path = np.stack([sign * (2.1 + (end - 2.1) * along), level], 1)
    radius = np.interp(along, [0, 0.08, 0.22, 0.45, 0.75, 0.92, 1], [1.0, 0.92, 0.66, 0.55, 0.55, 0.68, 0.5])
    wall = np.interp(along, [0, 0.12, 0.35, 0.7, 1], [0.06, 0.16, 0.42, 0.38, 0.1])
    bone = _hollow(x, y, path, radius, wall)
    inside = sign * x  # both ends fade into joints: no round cap
    return bone * smoothstep((inside - 1.2) / 1.6) * smoothstep((np.float32(end + 0.5) - inside) / 1.6)


def _humerus(patient: Patient, geometry: RayGeometry, sign: float) -> Array:
    """Head, neck and shaft of the upper arm in one: the cortex thickens down the shaft."""
    x, y = geometry.plane(-1.0)
    path = arm_path(patient, geometry, sign)
    down = (path[2] - path[0]) / np.linalg.norm(path[2] - path[0])
    axis = np.stack([path[0] + down * step for step in (0.0, 1.2, 2.8, 4.6, 8.0, 28.0)])
    radius = np.array([2.05, 1.95, 1.45, 1.2, 1.1, 1.1])
    wall = np.array([0.05, 0.06, 0.12, 0.24, 0.36, 0.4])
    shaft = _hollow(x, y, axis, radius, wall)
    head = path[0] + [sign * -0.75, -0.1]
    ball = ellipse(x, y, (float(head[0]), float(head[1])), (2.35, 2.3, 2.2))
    core = ellipse(x, y, (float(head[0]), float(head[1])), (2.25, 2.2, 2.1))
    bone: Array = np.maximum(
        np.float32(0.22) * (ball - core) + np.float32(0.4 * SPONGE) * core, np.float32(0.62) * shaft
    )
    return bone


def _scapula(patient: Patient, geometry: RayGeometry, sign: float, rng: np.random.Generator) -> Array:
    """A thin blade with a thick outer border, its spine, and the hooks above the joint."""
    x, y = geometry.plane(-0.7 * patient.chest_depth)
    joint = patient.chest_width + 0.6
    inward = rng.uniform(3.0, 5.5) if geometry.view.arms_down else rng.uniform(0.2, 2.8)
    glenoid, tip = np.array([joint - 0.4, 2.6]), np.array([joint - inward - 0.3, 14.5 + rng.normal(0, 0.8)])
    upper = np.array([joint - inward - 3.4, 1.6])
    flip = np.array([sign, 1])
    outer = np.stack([glenoid, 0.5 * (glenoid + tip) + [-0.7, 0.3], tip]) * flip
    inner = np.stack([tip, 0.5 * (tip + upper) + [-0.5, 0.3], upper]) * flip
    ridge = (
        np.stack(
            [upper + np.array([0.3, 2.0]), glenoid + np.array([-1, -1.6]), glenoid + np.array([1.6, -3.2])]
        )
        * flip
    )
    hook = (
        np.stack(
            [
                glenoid + np.array([-2.2, -0.6]),
                glenoid + np.array([-1.0, -1.7]),
                glenoid + np.array([0.3, -0.9]),
            ]
        )
        * flip
    )
    bone = 0.7 * _hollow(x, y, outer, np.array([0.62, 0.32, 0.2]), 0.4) + 0.4 * _hollow(
        x, y, inner, 0.18, 0.5
    )
    bone += 0.5 * _hollow(x, y, ridge, np.array([0.25, 0.5, 0.75]), 0.2) + 0.45 * _hollow(
        x, y, hook, 0.6, 0.2
    )
    return (bone + _blade(x, y, np.concatenate([outer, inner[1:], outer[:1]]))).astype(np.float32)


def _blade(x: Array, y: Array, corners: np.ndarray) -> Array:
    """The flat part of the shoulder blade: a polygon with a soft rim."""
    window, distance, _ = polyline(x, y, corners, 1.0)
    px, py = x[window], y[window]
    inside = np.zeros(px.shape, bool)
    for (ax, ay), (bx, by) in pairwise(corners):
        crosses = (ay > py) != (by > py)
        inside ^= crosses & (px < (bx - ax) * (py - ay) / (by - ay + 1e-9) + ax)
    blade = np.zeros(x.shape, np.float32)
    blade[window] = np.where(inside, np.float32(0.1) * smoothstep(distance / 0.25), 0)
    return blade
