"""``Scenario``: everything that determines a phantom's radiograph, as a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from cxrbench.data.phantom import soft
from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.film import ExposureSettings, Tone
from cxrbench.data.phantom.girdle import girdle
from cxrbench.data.phantom.scene import Scene, change
from cxrbench.data.phantom.view import RayGeometry, draw_geometry

__all__ = ["HEALTHY_PARTS", "LATERAL_EXPOSURES", "MARKER", "Scenario"]

# Added to the number of the exposure for the noise and marker of lateral films; numbers are small.
LATERAL_EXPOSURES = 1000

# The name of the side marker among the parts of a film.
MARKER: Final = "Side marker"


def _without_girdle(scene: Scene) -> Scene:
    bone = np.maximum(scene.bone - girdle(scene.patient, scene.geometry), 0)
    return change(scene, bone=bone)


def _without_bowel_gas(scene: Scene) -> Scene:
    return change(scene, air=np.maximum(scene.air - soft.bowel(scene.patient, scene.geometry), 0))


# Healthy parts that can be left out of a frontal film: a model should not care about them.
HEALTHY_PARTS: Final[Mapping[str, Callable[[Scene], Scene]]] = MappingProxyType(
    {"Shoulder girdle": _without_girdle, "Bowel gas": _without_bowel_gas}
)


@dataclass(frozen=True)
class Scenario:
    """Everything that determines a phantom's radiograph.

    Attributes:
        patient: the body.
        view: "PA", "AP" or "LATERAL".
        size: pixels per side.
        number: of the exposure: position of the patient, noise and planted shortcuts.
        settings: of the exposure and its processing.
        findings: finding → severity in (0, 1].
        shortcuts: kinds of planted shortcuts.
        places: finding → number of its place; 0, the default, is the one that the patient draws first.
        omitted: parts that are left out: `MARKER`, any of `HEALTHY_PARTS`.
        tone: grey levels of another film; default: those of this one.
    """

    patient: Patient
    view: str
    size: int
    number: int
    settings: ExposureSettings
    findings: Mapping[str, float]
    shortcuts: tuple[str, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()
    tone: Tone | None = None

    @property
    def geometry(self) -> RayGeometry:
        """The rays."""
        return draw_geometry(self.patient, self.view, self.size, self.number)

    @property
    def stream(self) -> int:
        """Number of the exposure in the streams of noise and markers; a lateral film has its own."""
        return self.number + (LATERAL_EXPOSURES if self.view == "LATERAL" else 0)
