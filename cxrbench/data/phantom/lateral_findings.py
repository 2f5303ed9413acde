"""Findings in the lateral view: the frontal change placed at its anatomical depth.

Every finding first changes the upright frontal scene with the same function as for a frontal film; the
difference in attenuation is then turned by 90°. Only the depth is added for the lateral view.
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

# (scene, frontal scene before, frontal scene after, random stream for depths) → changed scene.
LateralChange = Callable[[LateralScene, Scene, Scene, np.random.Generator], LateralScene]


def add_lateral(scene: LateralScene, finding: str, severity: float) -> LateralScene:
    """Add a finding at the same place as in a frontal film of this patient.

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
    return LATERAL_CHANGES[finding](scene, scene.frontal, after, generator(seed, finding, "depth"))


def _chest(scene: LateralScene) -> tuple[Array, Array]:
    """Centre and half-depth of the lungs on the upright grid, cm, as if there were no diaphragm."""
    x, y = scene.frontal.geometry.plane(0.0)
    lungs = scene.frontal.lungs
    reach = np.where(x * np.float32(SIDES["left"]) > 0, lungs["left"].reach, lungs["right"].reach)
    return middle(scene.patient, y), reach


def _spread_over_depth(scene: LateralScene, gain: Array, low: Array, high: Array) -> Array:
    """Lateral projection of frontal attenuation spread evenly over these depths; magnified per lung."""
    x, _ = scene.frontal.geometry.plane(0.0)
    weight = np.where(high > low, gain / np.maximum(high - low, 1e-3), 0)
    total = np.zeros_like(scene.added)
    for sign in SIDES.values():
        own = np.where(x * np.float32(sign) > 0, weight, 0)
        if np.abs(own).max() > 1e-5:
            total = total + turned(scene, own, low, high, sign * 0.5 * scene.patient.chest_width)
    return total


def _gain(before: Scene, after: Scene) -> Array:
    """Attenuation that a finding adds to the frontal film, without lung vessels, which have no depth."""
    return attenuation(change(after, blood=before.blood, grain=before.grain)) - attenuation(before)


def _clump(scene: LateralScene, gain: Array, rng: np.random.Generator, *, share: float) -> Array:
    """Lateral projection of a clump at one depth, as thick as its gain requires when filled to ``share``."""
    centre, reach = _chest(scene)
    weight = np.abs(gain)
    heavy = float((weight * reach).sum() / max(float(weight.sum()), 1e-6))
    depth = centre + np.float32(rng.uniform(-0.6, 0.5) * heavy)
    # smooth from row to row, as the patch's own clouds are not aligned through its depth
    smooth = cv2.GaussianBlur(weight, (0, 0), 0.45 / scene.slab.spacing)
    half = smooth / np.float32(2 * WATER * share)
    half = np.minimum(half, np.maximum(reach, 0.3))
    depth = np.clip(depth, centre - reach + half, centre + reach - half)
    return _spread_over_depth(scene, np.where(half > 0.02, gain, 0), depth - half, depth + half)


def _limit_to_air(scene: LateralScene, gain: Array) -> Array:
    """Limit a gain to what water in all of the lung's air would add."""
    most: Array = np.float32(WATER * (1 - scene.patient.lung_density)) * scene.air
    return np.minimum(gain, most)


def _filled(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Filled airspace: three quarters of its volume are fluid."""
    more = _limit_to_air(scene, _clump(scene, _gain(before, after), rng, share=0.75))
    return replace(scene, frontal=after, added=scene.added + more)


def _lesion(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A mass as deep as it is wide."""
    more = _clump(scene, _gain(before, after), rng, share=0.8)
    return replace(scene, frontal=after, added=scene.added + more)


def _edema(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Fluid around the hila, thinner towards front and back, and thick vessels."""
    centre, reach = _chest(scene)
    more = _spread_over_depth(scene, _gain(before, after), centre - 0.75 * reach, centre + 0.75 * reach)
    thick = _ratio(before, after)
    return replace(scene, frontal=after, added=scene.added + more, blood=scene.blood * np.float32(thick))


def _ratio(before: Scene, after: Scene) -> float:
    """Factor by which the vessels became thicker overall."""
    total = float(before.blood.sum())
    return float(after.blood.sum()) / total if total > 0 else 1.25


def _collapse(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Plates a few centimetres deep, and a base with a raised dome."""
    plates = attenuation(after) - attenuation(change(after, added=before.added))
    centre, reach = _chest(scene)
    half = np.minimum(np.float32(rng.uniform(2.2, 3.6)), reach)
    depth = centre + np.float32(rng.uniform(-0.45, 0.35)) * reach
    more = _spread_over_depth(scene, plates, depth - half, depth + half)
    moved = replace(scene, frontal=after, added=scene.added + more)
    air, _ = aerate(moved)
    return replace(moved, air=air)


def _effusion(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Fluid in the posterior angle, the deepest; a fifth of it in front of the lung."""
    centre, reach = _chest(scene)
    gain = _gain(before, after)
    room = np.maximum(gain / np.float32(WATER * (1 - scene.patient.lung_density)), 0)
    x, y = before.geometry.plane(0.0)
    dome = np.where(x > 0, before.lungs["left"].dome, before.lungs["right"].dome)
    fore = np.float32(0.2) * smoothstep((dome + 1 - y) / 3)  # below the dome there is room behind it only
    hind = 1 - fore
    behind = _spread_over_depth(
        scene, hind * gain, centre - reach, centre - reach + np.maximum(hind * room, 0.05)
    )
    before_it = _spread_over_depth(
        scene, fore * gain, centre + reach - np.maximum(fore * room, 0.05), centre + reach
    )
    return replace(scene, frontal=after, added=scene.added + _limit_to_air(scene, behind + before_it))


def _rind(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Thick pleura along the ribs, seen face-on."""
    centre, reach = _chest(scene)
    more = _spread_over_depth(scene, _gain(before, after), centre - reach - 0.3, centre + reach + 0.3)
    return replace(scene, frontal=after, added=scene.added + more)


def _free_air(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Air over the apex and around the lung: in the lateral view little more than a darker apex."""
    centre, reach = _chest(scene)
    gain = np.minimum(_gain(before, change(after, added=before.added)), 0)
    more = _spread_over_depth(scene, gain, centre - reach, centre + reach)
    return replace(scene, frontal=after, added=scene.added + more)


def _heart(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A heart that grows backwards, since the breastbone holds it in front."""
    moved = replace(scene, frontal=after)
    air, outlines = aerate(moved)
    return replace(moved, air=air, outlines={**scene.outlines, "heart": outlines["heart"]})


def _wide(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """Wide great vessels displace the lung in front of and behind them."""
    moved = replace(scene, frontal=after)
    return replace(moved, air=np.minimum(aerate(moved)[0], scene.air))


def _broken(scene: LateralScene, before: Scene, after: Scene, rng: np.random.Generator) -> LateralScene:
    """A fracture at the side is seen face-on: callus over the rib, and the rib interrupted."""
    _, y = scene.frontal.geometry.plane(0.0)
    depth = middle(scene.patient, y) - np.float32(0.3 * scene.patient.chest_depth)
    more = _spread_over_depth(scene, attenuation(after) - attenuation(before), depth - 0.6, depth + 0.6)
    return replace(scene, added=scene.added + more)


LATERAL_CHANGES: Final[dict[str, LateralChange]] = {
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
