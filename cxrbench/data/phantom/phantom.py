"""One radiograph of one phantom, with its masks, boxes and truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, draw_patient, generator
from cxrbench.data.phantom.film import Exposure, develop, draw_exposure
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.healthy import healthy, healthy_lateral
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.lateral import lateral_attenuation
from cxrbench.data.phantom.lateral_findings import add_lateral
from cxrbench.data.phantom.scene import attenuation
from cxrbench.data.phantom.shortcuts import plant
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import Geometry, draw_geometry
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, HIERARCHY, finding_key

__all__ = ["TOLERANCE", "Phantom", "box", "render"]

# A pixel belongs to a finding's mask when it changed the attenuation by more than this: 2 % of the beam.
TOLERANCE = 0.02

# Numbers of exposures are small; a lateral film draws its noise and its marker from this number on.
LATERAL_SHOTS = 1000

Step = tuple[Array, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Phantom:
    """A radiograph and all that is true of it.

    Attributes:
        image: (H, W) float32 in [0, 1], bone bright.
        attenuation: (H, W) float32, line integrals before scatter, noise and processing.
        masks: finding → (H, W) bool, where it changed the attenuation by more than `TOLERANCE`;
            empty where an earlier finding hides it, as an effusion may hide a pneumonia.
        outlines: "heart", enlarged or not, and "lungs" as if healthy → (H, W) bool.
        truth: each of CheXpert's fourteen → 0 or 1, closed under the hierarchy.
        severity: finding → severity in (0, 1], of those present.
        boxes: finding → (left, top, right, bottom) of its mask in pixels, right and bottom exclusive.
        patient, exposure: the body and the shot.
        view: "PA", "AP" or "LATERAL".
        shortcuts: planted shortcut → (H, W) bool, where it changed the picture visibly.
    """

    image: Array
    attenuation: Array
    masks: dict[str, np.ndarray]
    outlines: dict[str, np.ndarray]
    truth: dict[str, int]
    severity: dict[str, float]
    boxes: dict[str, tuple[int, int, int, int]]
    patient: Patient
    exposure: Exposure
    view: str
    shortcuts: dict[str, np.ndarray]

    @property
    def sex(self) -> str:
        """Of the patient: F or M."""
        return self.patient.sex

    @property
    def age(self) -> int:
        """Years."""
        return self.patient.age


def render(
    seed: int,
    findings: Mapping[str, float] | None = None,
    *,
    view: str = "PA",
    size: int = 512,
    exposure: int = 0,
    sex: str | None = None,
    age: int | None = None,
    shot: Mapping[str, object] | None = None,
    shortcuts: Sequence[str] = (),
) -> Phantom:
    """Take one radiograph of one phantom.

    Findings are added one after another to the healthy body; each draws its place from a stream of its own,
    so that neither the body, nor another finding, nor the noise moves when one is added.

    Args:
        seed: the patient.
        findings: finding → severity in (0, 1], any in `FINDINGS`; none is a healthy chest.
        view: "PA", "AP" or "LATERAL".
        size: pixels per side.
        exposure: number of the exposure; the same patient placed and shot anew.
        sex: "F" or "M" instead of the drawn one.
        age: years instead of the drawn ones.
        shot: fields of `Exposure` to set instead of the drawn ones, such as `{"contrast": 3.0}`.
        shortcuts: what to plant on the film, any of `KINDS` in `shortcuts.py`; none is the rule.

    Returns:
        The radiograph with its truth.

    Raises:
        InputError: a finding, severity, view, size, field of the shot or shortcut is not possible.
    """
    asked = _checked(findings or {})
    patient = draw_patient(seed, sex=sex, age=age)
    geometry = draw_geometry(patient, view, size, exposure)
    steps = _from_the_side if view == "LATERAL" else _from_the_front
    beam, masks, outlines = _exposed(steps(patient, geometry, asked, exposure), asked)
    truth, masks = _closed(asked, masks, beam.shape)
    if view == "LATERAL":
        exposure += LATERAL_SHOTS  # shot after the frontal film: its noise and marker are others
    drawn = draw_exposure(patient, geometry, exposure)
    try:
        drawn = replace(drawn, **dict(shot or {}))  # type: ignore[arg-type]
    except TypeError as error:
        known = ", ".join(Exposure.__dataclass_fields__)
        raise InputError(f"The shot has no such setting ({error}); choose from: {known}.") from error
    image = develop(beam, patient, geometry, drawn, exposure)
    boxes = {name: box(mask) for name, mask in masks.items() if mask.any()}
    planted = {}
    for kind in shortcuts:
        image, planted[kind] = plant(image, kind, generator(seed, "shortcut", kind, exposure))
    return Phantom(image, beam, masks, outlines, truth, dict(asked), boxes, patient, drawn, view, planted)


def _in_order(asked: Mapping[str, float]) -> list[str]:
    """Names of findings, those first that later ones lie on."""
    return sorted(asked, key=lambda name: FINDINGS[name].order)


def _from_the_front(
    patient: Patient, geometry: Geometry, asked: Mapping[str, float], exposure: int
) -> Iterator[Step]:
    """Attenuation and outlines of the healthy chest, then after each finding."""
    scene = healthy(patient, geometry, exposure)
    yield attenuation(scene), scene.outlines
    for name in _in_order(asked):
        scene = FINDINGS[name].add(scene, asked[name], generator(patient.seed, name))
        yield attenuation(scene), scene.outlines


def _from_the_side(
    patient: Patient, geometry: Geometry, asked: Mapping[str, float], exposure: int
) -> Iterator[Step]:
    """The same for a lateral film."""
    scene = healthy_lateral(patient, geometry, exposure)
    yield lateral_attenuation(scene), scene.outlines
    for name in _in_order(asked):
        scene = add_lateral(scene, name, asked[name])
        yield lateral_attenuation(scene), scene.outlines


def _exposed(
    steps: Iterator[Step], asked: Mapping[str, float]
) -> tuple[Array, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The last attenuation, what each finding changed in it, and the last outlines."""
    states = list(steps)
    masks = {
        name: np.abs(after - before) > TOLERANCE
        for name, (before, _), (after, _) in zip(_in_order(asked), states, states[1:], strict=False)
    }
    # The outlines may be those of a healthy body that is kept: the caller gets their own.
    return states[-1][0], masks, {name: mask.copy() for name, mask in states[-1][1].items()}


def _checked(findings: Mapping[str, float]) -> dict[str, float]:
    """The asked findings by their one name, with severities that are possible."""
    asked = {}
    for name, severity in findings.items():
        known = {finding_key(key): key for key in FINDINGS}.get(finding_key(name))
        if known is None:
            raise InputError(
                f"Finding {name!r} is not one a phantom can have; choose from: {', '.join(FINDINGS)}."
            )
        if not 0 < severity <= 1:
            raise InputError(
                f"The severity of {known} must lie in (0, 1], it is {severity}; leave it out for none."
            )
        asked[known] = float(severity)
    return asked


def _closed(
    asked: Mapping[str, float], masks: dict[str, np.ndarray], shape: tuple[int, ...]
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """Truth of all fourteen and masks, every parent holding what its children hold."""
    masks = dict(masks)
    for child in asked:
        name = child
        while name in HIERARCHY:
            name = HIERARCHY[name]
            masks[name] = masks.get(name, np.zeros(shape, bool)) | masks[child]
    return certain(asked), {name: masks[name] for name in CHEXPERT if name in masks}


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The smallest box around a mask that holds something."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
