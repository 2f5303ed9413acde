"""Findings: each takes a scene and a severity and returns the changed scene.

A severity is in (0, 1]: at 0.1 a careful reader may miss the finding, at 1 nobody does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.data.phantom import soft
from cxrbench.data.phantom.devices import support_devices
from cxrbench.data.phantom.opacities import (
    atelectasis,
    consolidation,
    edema,
    lung_lesion,
    lung_opacity,
    pneumonia,
)
from cxrbench.data.phantom.pleura import pleural_effusion, pleural_other, pneumothorax
from cxrbench.data.phantom.scene import Scene, change
from cxrbench.data.phantom.solids import ellipse, tube

__all__ = ["FINDINGS", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One finding the phantom can have.

    Attributes:
        name: as in CheXpert.
        add: (scene, severity, rng) → changed scene.
        order: findings are added in ascending order; devices come last.
        placed: whether it can lie in another place; heart, mediastinum and both lungs' edema have one only.
    """

    name: str
    add: Callable[[Scene, float, np.random.Generator], Scene]
    order: int
    placed: bool = True


def enlarged_mediastinum(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """A wide upper mediastinum: unfolded aorta, or enlarged lymph nodes."""
    great = soft.great_vessels(scene.patient, scene.geometry, widen=1.12 + 0.6 * severity)
    return change(scene, great=np.maximum(scene.great, great))


def cardiomegaly(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """A heart wider than half the chest: the cardiothoracic ratio becomes 0.5 to 0.7."""
    target = 0.535 + 0.155 * severity
    # the irregular outline measures about 3 % less than twice patient.heart, hence 0.535 and not 0.51
    widen = max(target * scene.patient.chest_width / scene.patient.heart, 1.03)
    heart = np.maximum(soft.heart(scene.patient, scene.geometry, widen=widen), scene.heart)
    return change(scene, heart=heart, outlines={**scene.outlines, "heart": heart > 0.5})


def fracture(scene: Scene, severity: float, rng: np.random.Generator) -> Scene:
    """Two to five ribs broken at the side: a gap, a step and callus around it; often missed in practice."""
    sign = float(rng.choice([-1, 1]))
    x, y = scene.geometry.plane(-0.3 * scene.patient.chest_depth)
    bone, out = scene.bone, rng.uniform(0.74, 0.9)
    level = rng.uniform(0.25, 0.6) * scene.patient.lung_height
    gap = scene.patient.lung_height / 9.6
    for rank in range(int(rng.integers(2, 4 + round(2 * severity)))):
        centre = (sign * scene.patient.chest_width * (out + rng.normal(0, 0.015)), level + rank * gap)
        callus = ellipse(x, y, centre, (0.65 + 0.6 * severity, 0.65 + 0.4 * severity, 0.6))
        crack = np.array([[-0.25, -0.75], [0.1, 0.0], [-0.05, 0.75]]) + centre
        cut = tube(x, y, crack, 0.14 + 0.16 * severity)
        bone = np.maximum(bone * (1 - np.minimum(cut * 4, 0.75)), 0) + np.float32(
            0.16 + 0.3 * severity
        ) * callus * (cut == 0) * np.minimum(bone * 8, 1)
    return change(scene, bone=bone)


FINDINGS: Final = {
    finding.name: finding
    for finding in (
        Finding("Enlarged Cardiomediastinum", enlarged_mediastinum, 0, placed=False),
        Finding("Cardiomegaly", cardiomegaly, 1, placed=False),
        Finding("Atelectasis", atelectasis, 2),
        Finding("Lung Opacity", lung_opacity, 3),
        Finding("Edema", edema, 4, placed=False),
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
