"""Findings in the lateral view: the frontal change placed at its anatomical depth.

Every finding first changes the upright frontal scene by the very function that a frontal film uses; the
difference in attenuation is then turned. Nothing is invented for the second view but the depth.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import generator
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.lateral import LateralScene, aerate, turned
from cxrbench.data.phantom.lateral_devices import lateral_devices
from cxrbench.data.phantom.lungs import SIDES
from cxrbench.data.phantom.posture import middle
from cxrbench.data.phantom.scene import WATER, Scene, attenuation, change
from cxrbench.data.phantom.solids import Array, smoothstep

__all__ = ["add_lateral"]

# Takes the scene, the frontal scenes before and after, and a stream for depths; returns the changed scene.
Step = Callable[[LateralScene, Scene, Scene, np.random.Generator], LateralScene]


def add_lateral(scene: LateralScene, finding: str, severity: float) -> LateralScene:
    """The scene with a finding, in the same place that a frontal film of this patient shows it.

    Args:
        scene: before.
        finding: any of `FINDINGS`.
        severity: in (0, 1].

    Returns:
        The scene after.
    """
    seed = scene.patient.seed
    if finding == "Support Devices":
        metal = lateral_devices(scene, severity, generator(seed, finding))
        return replace(scene, added=scene.added + metal)
    after = FINDINGS[finding].add(scene.frontal, severity, generator(seed, finding))
    return STEPS[finding](scene, scene.frontal, after, generator(seed, finding, "depth"))


def _chest(scene: LateralScene) -> tuple[Array, Array]:
    """Middle and half of the lung's depth on the upright grid, cm, as if there were no diaphragm."""
    x, y = scene.frontal.geometry.plane(0.0)
    lungs = scene.frontal.lungs
    reach = np.where(x * np.float32(SIDES["left"]) > 0, lungs["left"].reach, lungs["right"].reach)
    return middle(scene.patient, y), reach


def _laid(scene: LateralScene, gain: Array, low: Array, high: Array) -> Array:
    """Frontal attenuation spread evenly over these depths, from the side; each lung magnified by itself."""
    x, _ = scene.frontal.geometry.plane(0.0)
    weight = np.where(high > low, gain / np.maximum(high - low, 1e-3), 0)
    total = np.zeros_like(scene.added)
    for sign in SIDES.values():
        own = np.where(x * np.float32(sign) > 0, weight, 0)
        if np.abs(own).max() > 1e-5:
            total = total + turned(scene, own, low, high, sign * 0.5 * scene.patient.chest_width)
    return total


def _gain(before: Scene, after: Scene) -> Array:
    """What a finding adds to the frontal film; lung vessels, which have no depth there, are left out."""
    return attenuation(change(after, blood=before.blood, grain=before.grain)) - attenuation(before)


def _clump(scene: LateralScene, gain: Array, rng: np.random.Generator, *, share: float) -> Array:
    """A clump in one depth of the lung: as thick as it must be when it fills this share of its space."""
    centre, reach = _chest(scene)
    weight = np.abs(gain)
    heavy = float((weight * reach).sum() / max(float(weight.sum()), 1e-6))
    at = centre + np.float32(rng.uniform(-0.6, 0.5) * heavy)
    # smooth from row to row, as the patch's own clouds are not aligned through its depth
    smooth = cv2.GaussianBlur(weight, (0, 0), 0.45 / scene.slab.spacing)
    half = smooth / np.float32(2 * WATER * share)
    half = np.minimum(half, np.maximum(reach, 0.3))
    at = np.clip(at, centre - reach + half, centre + reach - half)
    return _laid(scene, np.where(half > 0.02, gain, 0), at - half, at + half)


def _held(scene: LateralScene, gain: Array) -> Array:
    """No more than what water in all of the lung's air would add."""
    most: Array = np.float32(WATER * (1 - scene.patient.lung_density)) * scene.air
    return np.minimum(gain, most)


def _filled(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Filled airspace: three quarters of its space are fluid."""
    more = _held(scene, _clump(scene, _gain(before, after), rng, share=0.75))
    return replace(scene, frontal=after, added=scene.added + more)


def _lesion(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A mass as deep as it is wide."""
    more = _clump(scene, _gain(before, after), rng, share=0.8)
    return replace(scene, frontal=after, added=scene.added + more)


def _edema(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Fluid round the hila, thinner towards front and back, and thick vessels."""
    centre, reach = _chest(scene)
    more = _laid(scene, _gain(before, after), centre - 0.75 * reach, centre + 0.75 * reach)
    thick = _ratio(before, after)
    return replace(scene, frontal=after, added=scene.added + more, blood=scene.blood * np.float32(thick))


def _ratio(before: Scene, after: Scene) -> float:
    """How much thicker the vessels became on the whole."""
    total = float(before.blood.sum())
    return float(after.blood.sum()) / total if total > 0 else 1.25


def _collapse(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Plates as deep as a few fingers are wide, and a base whose dome is drawn up."""
    plates = attenuation(after) - attenuation(change(after, added=before.added))
    centre, reach = _chest(scene)
    half = np.minimum(np.float32(rng.uniform(2.2, 3.6)), reach)
    at = centre + np.float32(rng.uniform(-0.45, 0.35)) * reach
    more = _laid(scene, plates, at - half, at + half)
    moved = replace(scene, frontal=after, added=scene.added + more)
    air, _ = aerate(moved)
    return replace(moved, air=air)


def _effusion(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Fluid in the deepest angle, which lies behind; a fifth of it before the lung."""
    centre, reach = _chest(scene)
    gain = _gain(before, after)
    room = np.maximum(gain / np.float32(WATER * (1 - scene.patient.lung_density)), 0)
    x, y = before.geometry.plane(0.0)
    dome = np.where(x > 0, before.lungs["left"].dome, before.lungs["right"].dome)
    fore = np.float32(0.2) * smoothstep((dome + 1 - y) / 3)  # below the dome there is room behind it only
    hind = 1 - fore
    behind = _laid(scene, hind * gain, centre - reach, centre - reach + np.maximum(hind * room, 0.05))
    before_it = _laid(scene, fore * gain, centre + reach - np.maximum(fore * room, 0.05), centre + reach)
    return replace(scene, frontal=after, added=scene.added + _held(scene, behind + before_it))


def _rind(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Thick pleura along the ribs, seen flat."""
    centre, reach = _chest(scene)
    more = _laid(scene, _gain(before, after), centre - reach - 0.3, centre + reach + 0.3)
    return replace(scene, frontal=after, added=scene.added + more)


def _free_air(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Air over the apex and round the lung: from the side little more than a darker top."""
    centre, reach = _chest(scene)
    gain = np.minimum(_gain(before, change(after, added=before.added)), 0)
    more = _laid(scene, gain, centre - reach, centre + reach)
    return replace(scene, frontal=after, added=scene.added + more)


def _heart(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A heart that grows backwards, since the breastbone holds it in front."""
    moved = replace(scene, frontal=after)
    air, outlines = aerate(moved)
    return replace(moved, air=air, outlines={**scene.outlines, "heart": outlines["heart"]})


def _wide(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Wide great vessels displace the lung before and behind them."""
    moved = replace(scene, frontal=after)
    return replace(moved, air=np.minimum(aerate(moved)[0], scene.air))


def _broken(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A break at the side is seen flat: callus over the rib, and the rib interrupted."""
    _, y = scene.frontal.geometry.plane(0.0)
    at = middle(scene.patient, y) - np.float32(0.3 * scene.patient.chest_depth)
    more = _laid(scene, attenuation(after) - attenuation(before), at - 0.6, at + 0.6)
    return replace(scene, added=scene.added + more)


STEPS: Final[dict[str, Step]] = {
    "Enlarged Cardiomediastinum": _wide,
    "Cardiomegaly": _heart,
    "Atelectasis": _collapse,
    "Lung Opacity": _filled,
    "Edema": _edema,
    "Consolidation": _filled,
    "Pneumonia": _filled,
    "Lung Lesion": _lesion,
    "Pleural Effusion": _effusion,
    "Pleural Other": _rind,
    "Pneumothorax": _free_air,
    "Fracture": _broken,
}
