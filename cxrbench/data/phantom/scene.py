"""The thickness map of every part before exposure, and their sum as attenuation."""

from dataclasses import dataclass, field, replace

import numpy as np

from cxrbench.data.phantom import bones, soft, vessels
from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.girdle import girdle
from cxrbench.data.phantom.lungs import SIDES, Lung, lung
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["WATER", "Scene", "attenuation", "build", "change"]

# Linear attenuation of water at about 60 keV, per cm.
WATER = np.float32(0.2)


@dataclass(frozen=True)
class Scene:
    """The parts in the beam; a finding returns a changed copy.

    Attributes:
        patient, geometry: the body and the rays.
        body: path through the body as water, cm.
        lungs: side → lung.
        heart, great: path through heart and great vessels, cm; they displace lung.
        blood: path through lung vessels, cm.
        grain: relative unevenness of lung density.
        air: path through airways and bowel gas, cm.
        bone: attenuation of bone beyond water.
        density: side → attenuation of lung relative to water; a map where a finding changed it.
        fluid: side → fraction of the lung's space filled with fluid or solid tissue, 0 to 1.
        added: attenuation of everything else (lesions, devices), beyond what it displaces.
        outlines: name → bool map of an organ, such as the heart.
    """

    patient: Patient
    geometry: RayGeometry
    body: Array
    lungs: dict[str, Lung]
    heart: Array
    great: Array
    blood: Array
    grain: Array
    air: Array
    bone: Array
    density: dict[str, Array]
    fluid: dict[str, Array]
    added: Array
    outlines: dict[str, np.ndarray] = field(default_factory=dict)


def build(patient: Patient, geometry: RayGeometry) -> Scene:
    """Build the scene of a healthy patient."""
    shape = (geometry.size, geometry.size)
    lungs = {side: lung(patient, geometry, side) for side in SIDES}
    heart = soft.heart(patient, geometry)
    return Scene(
        patient=patient,
        geometry=geometry,
        body=soft.body(patient, geometry),
        lungs=lungs,
        heart=heart,
        great=soft.great_vessels(patient, geometry),
        blood=vessels.vessels(patient, geometry),
        grain=vessels.grain(patient, geometry),
        air=soft.airways(patient, geometry) + soft.bowel(patient, geometry),
        bone=bones.ribs(patient, geometry) + bones.spine(patient, geometry) + girdle(patient, geometry),
        density={side: np.full(shape, patient.lung_density, np.float32) for side in SIDES},
        fluid={side: np.zeros(shape, np.float32) for side in SIDES},
        added=np.zeros(shape, np.float32),
        outlines={"heart": heart > 0.5, "lungs": (lungs["right"].length > 1) | (lungs["left"].length > 1)},
    )


def change(scene: Scene, **parts: object) -> Scene:
    """Copy a scene with some parts replaced."""
    return replace(scene, **parts)  # type: ignore[arg-type]


def attenuation(scene: Scene) -> Array:
    """Line integral of attenuation per ray (H, W), without noise: Σ μ·length (Beer–Lambert's exponent)."""
    missing = np.zeros_like(scene.body)
    solid = np.maximum(scene.heart, scene.great)
    for side in SIDES:
        part = scene.lungs[side]
        aerated = (part.length - np.minimum(solid, part.length) * part.above) * (1 - scene.fluid[side])
        aerated = np.minimum(aerated, np.maximum(scene.body - 4, 0))
        density = scene.density[side] * (1 + scene.grain)
        blood = np.minimum(scene.blood * np.float32(2.0), aerated)
        missing += aerated * (1 - density) - blood * (1 - density)
    water = np.maximum(scene.body - missing - np.minimum(scene.air, 0.5 * scene.body), 0)
    inside = scene.body > 0
    total: Array = WATER * water + scene.bone * inside + scene.added
    return total
