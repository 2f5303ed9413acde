"""Soft parts: trunk, neck, shoulders, arms, breasts; heart and great vessels; airways and bowel gas."""

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.solids import Array, curve, ellipse, half_chord, smoothstep, texture, tube
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["airways", "arm_path", "body", "bowel", "great_vessels", "heart", "heart_centre"]


def arm_path(patient: Patient, geometry: RayGeometry, side: float) -> np.ndarray:
    """Axis of the upper arm from the shoulder joint to the elbow, (N, 2) cm."""
    rng = generator(patient.seed, "arm", int(side > 0), int(geometry.view.arms_down))
    joint = patient.chest_width + 1.6 + 0.25 * patient.fat
    out = rng.normal(4.0, 1.2) if geometry.view.arms_down else rng.normal(8.5, 2.5)
    low = np.array([joint + max(out, 1.5) + 0.8 * patient.fat, 30.0])
    start = np.array([joint + 0.4, 1.8 + rng.normal(0, 0.4)])
    return np.array([start, 0.5 * (start + low) + [0.6, 0], low]) * [side, 1]


def body(patient: Patient, geometry: RayGeometry) -> Array:
    """Path through the body as if it were all water, cm (H, W): a smooth union of its solids."""
    rng = generator(patient.seed, "body shape")
    x, y = geometry.plane(0.0)
    wide = patient.chest_width + patient.fat + 0.7
    thick = patient.chest_depth + 1.5 + 0.6 * patient.fat
    waist = curve(
        [-2, 1, 4, 9, 16, 24, 34, 48],
        [0.62, 0.86, 0.96, 1.0, 1.0, 0.97, 0.97, 1.03 + 0.03 * patient.fat],
        y,
    )
    depth = curve([-2, 2, 6, 12, 22, 34, 48], [0.5, 0.7, 0.88, 0.97, 1.0, 0.97, 1.0], y)
    across = np.minimum(np.abs(x) / (np.float32(wide) * waist), 1)
    trunk = 2 * np.float32(thick) * depth * (1 - across**5) ** 0.42 * smoothstep((y + 2.5) / 4)
    neck_wide = 5.6 * (1.08 if patient.sex == "M" else 0.95) + 0.35 * patient.fat
    neck = 2 * np.float32(neck_wide) * half_chord(x / np.float32(neck_wide)) * smoothstep((2 - y) / 7)
    tip = patient.chest_width + 5.0 + 0.3 * patient.fat
    slope = rng.normal(6.2, 0.8) - (1.2 if geometry.view.arms_down else 0.0)
    side = np.clip((np.abs(x) - 3.5) / (tip - 3.5), 0, 1.3)
    top = np.float32(-4.6) + np.float32(slope) * side**1.25
    rolled = half_chord(1 - np.clip((y - top) / 3.6, 0, 1))
    flank = half_chord(np.minimum(np.abs(x) / np.float32(tip + 1.5), 1))
    shoulder = np.float32(2 * (8.4 + 0.5 * patient.fat)) * rolled * flank**0.5 * smoothstep((12 - y) / 9)
    parts = [trunk, neck, shoulder]
    for sign in (-1.0, 1.0):
        radius = 3.7 + 0.7 * patient.fat * 0.5 + (0.5 if patient.sex == "M" else 0)
        parts.append(
            tube(x, y, arm_path(patient, geometry, sign), np.array([radius + 1.0, radius, radius - 0.6]))
        )
    whole: Array = np.sqrt(np.sqrt(sum(p.astype(np.float32) ** 4 for p in parts)))
    whole = whole + _breasts(patient, geometry, rng) * (whole > 0)
    lumps = texture(rng, x.shape, 2.2 / geometry.spacing) + 0.6 * texture(
        rng, x.shape, 0.8 / geometry.spacing
    )
    return (whole * (1 + np.float32(0.012) * lumps)).astype(np.float32)


def _breasts(patient: Patient, geometry: RayGeometry, rng: np.random.Generator) -> Array:
    """Two half-ellipsoids in front of the chest: soft above, with a fold near the diaphragm below."""
    x, y = geometry.plane(patient.chest_depth + 2)
    total = np.zeros(x.shape, np.float32)
    radius = patient.breast or 6.5
    thick = 0.27 * radius if patient.breast else 0.35 + 0.1 * patient.fat
    fold = patient.lung_height + rng.normal(0.9, 1.3) if patient.breast else 15.0
    for sign in (-1.0, 1.0):
        middle = fold - 0.8 * radius + rng.normal(0, 0.35)
        centre = (sign * (0.6 * patient.chest_width + rng.normal(0.4, 0.3)), middle)
        droop = np.where(y > middle, 0.8, 1.55).astype(np.float32)
        chord = ellipse(
            x, middle + (y - middle) / droop, centre, (1.12 * radius, radius, thick), turn=-0.12 * sign
        )
        full = smoothstep((y - np.float32(middle - 1.4 * radius)) / np.float32(1.9 * radius))
        inward = smoothstep((x * np.float32(sign) + 2.0) / np.float32(0.45 * patient.chest_width))
        total += chord * full * inward
    return total


def heart_centre(patient: Patient) -> tuple[float, float]:
    """Centre of the heart in its own plane, cm."""
    return 0.27 * patient.heart, patient.lung_height - 2.1 - 0.8 * patient.heart_upright


def heart(patient: Patient, geometry: RayGeometry, *, widen: float = 1.0) -> Array:
    """Path through the heart, cm (H, W): a rounded body over a star-shaped outline.

    The outline is a closed monotone spline of radius over angle: right atrium, waist, left-ventricular curve,
    apex.

    Args:
        patient: the body; `patient.heart` is half the transverse diameter.
        geometry: the rays.
        widen: factor on the diameter; the left ventricle grows most, down and to the left.

    Returns:
        The path.
    """
    rng = generator(patient.seed, "heart")
    x, y = geometry.plane(3.5)
    cx, cy = heart_centre(patient)
    half = patient.heart * widen
    up = patient.heart_upright
    cx = cx + 0.16 * patient.heart * (widen - 1)
    dx, dy = x - np.float32(cx), y - np.float32(cy)
    # degrees, from the patient's left over the feet; radii relative to half the diameter
    angle = [-180, -140, -105, -75, -50, -25, 0, 18, 38, 65, 100, 145, 180]
    radius = [0.9, 0.92, 1.12, 1.12, 0.9, 0.86, 1.0, 1.14 - 0.06 * up, 1.2 - 0.06 * up, 1.02, 0.92, 0.9, 0.9]
    grow = np.array(radius) * (1 + 0.02 * rng.standard_normal(len(radius)))
    grow[-1] = grow[0]
    outline = curve([float(a) for a in angle], [float(r) for r in grow], _angle(dx, dy))
    reach = np.sqrt(dx * dx + dy * dy) / (outline * np.float32(half))
    return np.float32(2 * 0.85 * half) * half_chord(np.minimum(reach, 1)) ** np.float32(0.75)


def _angle(dx: Array, dy: Array) -> Array:
    """Direction in degrees within [-180, 180)."""
    degrees = cv2.phase(np.ascontiguousarray(dx), np.ascontiguousarray(dy), angleInDegrees=True)
    return np.where(degrees >= 180, degrees - 360, degrees)


def great_vessels(patient: Patient, geometry: RayGeometry, *, widen: float = 1.0) -> Array:
    """Path through aorta, pulmonary trunk and superior vena cava, cm (H, W).

    Args:
        patient: the body.
        geometry: the rays.
        widen: factor on the width; a wide mediastinum is an enlarged cardiomediastinum without a large heart.

    Returns:
        The path.
    """
    x, y = geometry.plane(0.0)
    knob, wide = patient.aorta * widen, patient.mediastinum * widen
    old = np.clip((patient.age - 50) / 40, 0, 1)
    level = patient.lung_height * 0.3
    arch = ellipse(x, y, (2.0 * wide + 0.25 * knob, level), (knob, knob * 1.15, 3.6))
    descending = np.array(
        [
            [2.2 * wide + 0.3, level],
            [2.3 * wide + 0.5 * old, level + 5],
            [1.9 + 0.7 * old, level + 10],
            [1.1, level + 18],
        ]
    )
    trunk = ellipse(x, y, (2.3 * wide, level + 3.4), (2.0, 2.2, 2.4), turn=0.5)
    cava = np.array(
        [
            [-1.5 * wide, level - 6.5],
            [-1.45 * wide, level - 3],
            [-1.95 * wide, level],
            [-2.3 * wide, level + 6],
        ]
    )
    ascending = np.array(
        [[-1.0 * wide, level - 0.2], [-1.7 * wide - 0.5 * old, level + 3], [-1.5 * wide, level + 7]]
    )
    parts = [
        arch,
        1.5 * tube(x, y, descending, 0.78 * knob),
        trunk,
        2.0 * tube(x, y, cava, 1.0 * wide),
        1.5 * tube(x, y, ascending, 1.55 * wide),
        1.8
        * tube(
            x,
            y,
            np.array([[1.9 * wide, level - 7.5], [1.35 * wide, level - 4], [1.4 * wide, level]]),
            1.0 * wide,
        ),
    ]
    path: Array = np.max(parts, axis=0)
    return path


def airways(patient: Patient, geometry: RayGeometry) -> Array:
    """Path through the air of trachea and main bronchi, cm (H, W)."""
    x, y = geometry.plane(-1.0)
    rng = generator(patient.seed, "airways")
    bend, fork = rng.normal(0.25, 0.3), patient.lung_height * 0.3 + 2.0
    radius = 0.85 if patient.sex == "M" else 0.72
    pipe = np.array([[0.0, -12], [0.0, -3], [-0.3 * bend, 2], [-bend, fork - 1], [-0.1, fork]])
    right = np.array([[-0.1, fork - 0.4], [-1.6, fork + 1.9], [-2.6, fork + 3.6]])
    left = np.array([[-0.1, fork - 0.4], [2.0, fork + 1.5], [3.8, fork + 2.6]])
    parts = [
        tube(x, y, pipe, radius),
        0.7 * tube(x, y, right, radius * 0.75),
        0.6 * tube(x, y, left, radius * 0.68),
    ]
    rings = 1 + np.float32(0.08) * np.sin(y * np.float32(2 * np.pi / 0.45))
    path: Array = np.max(parts, axis=0) * rings
    return path


def bowel(patient: Patient, geometry: RayGeometry) -> Array:
    """Path through gas under the diaphragm, cm (H, W): the stomach's bubble and some loops of bowel."""
    rng = generator(patient.seed, "bowel")
    x, y = geometry.plane(2.0)
    level = y
    x = x + np.float32(0.2) * texture(rng, x.shape, 1.6 / geometry.spacing)  # walls with folds, no bubbles
    y = y + np.float32(0.1) * texture(rng, x.shape, 1.3 / geometry.spacing)
    top = patient.lung_height + patient.dome_gap
    centre = (patient.chest_width * rng.uniform(0.3, 0.55), top + rng.uniform(1.8, 3.6))
    wide, high = rng.uniform(1.5, 3.6), rng.uniform(0.8, 2.0)
    bubble = ellipse(x, y, centre, (wide, high, rng.uniform(0.8, 2.6)))
    if not geometry.view.arms_down:  # standing: a level of fluid
        bubble = bubble * smoothstep((np.float32(centre[1] + 0.45 * high) - level) / np.float32(0.12))
    gas = bubble * np.float32(rng.random() < 0.75)
    for _ in range(int(rng.integers(2, 9))):
        place = (rng.normal(2, 6), top + rng.uniform(6, 13))
        gas = gas + ellipse(
            x,
            y,
            place,
            (rng.uniform(0.5, 1.8), rng.uniform(0.5, 1.3), rng.uniform(0.4, 1.3)),
            rng.uniform(0, 3),
        )
    return gas.astype(np.float32)
