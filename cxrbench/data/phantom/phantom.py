"""One radiograph of one phantom, with its masks, boxes and truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, draw_patient, generator
from cxrbench.data.phantom.film import ExposureSettings, develop, draw_exposure, side_marker
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.healthy import healthy, healthy_lateral
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.lateral import lateral_attenuation
from cxrbench.data.phantom.lateral_findings import add_lateral
from cxrbench.data.phantom.scenario import HEALTHY_PARTS, LATERAL_EXPOSURES, MARKER, Scenario
from cxrbench.data.phantom.scene import attenuation
from cxrbench.data.phantom.shortcuts import plant
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import RayGeometry, draw_geometry
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, HIERARCHY, finding_key

__all__ = ["TOLERANCE", "Phantom", "box", "draw_scenario", "expose", "render"]

# A pixel belongs to a finding's mask if its attenuation changes by more than this: 2 % of the beam.
TOLERANCE = 0.02

RenderState = tuple[Array, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Phantom:
    """A simulated radiograph and its ground truth.

    Attributes:
        image: (H, W) float32 in [0, 1], bone bright.
        attenuation: (H, W) float32, line integrals before scatter, noise and processing.
        masks: finding → (H, W) bool, where it changed the attenuation by more than `TOLERANCE`;
            False where an earlier finding hides it, as an effusion may hide a pneumonia.
        outlines: "heart", enlarged or not, and "lungs" as if healthy → (H, W) bool.
        truth: each of CheXpert's fourteen → 0 or 1, closed under the hierarchy.
        severity: finding → severity in (0, 1], for those present.
        boxes: finding → (left, top, right, bottom) of its mask in pixels, right and bottom exclusive.
        patient, exposure: the body and the settings of the exposure.
        view: "PA", "AP" or "LATERAL".
        shortcuts: planted shortcut → (H, W) bool, where it changed the picture visibly.
        scenario: what determines the radiograph.
    """

    image: Array
    attenuation: Array
    masks: dict[str, np.ndarray]
    outlines: dict[str, np.ndarray]
    truth: dict[str, int]
    severity: dict[str, float]
    boxes: dict[str, tuple[int, int, int, int]]
    patient: Patient
    exposure: ExposureSettings
    view: str
    shortcuts: dict[str, np.ndarray]
    scenario: Scenario

    @property
    def marker(self) -> np.ndarray:
        """Where the side marker is, (H, W) bool; False where there is none."""
        scenario = self.scenario
        if MARKER in scenario.omitted:
            return np.zeros(self.image.shape, bool)
        return side_marker(self.patient, self.exposure, scenario.stream, scenario.size)

    @property
    def sex(self) -> str:
        """Sex of the patient: "F" or "M"."""
        return self.patient.sex

    @property
    def age(self) -> int:
        """Age of the patient in years."""
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
    """Render one radiograph of one phantom.

    Findings are added one after another to the healthy body; each draws its place from a stream of its own,
    so that adding one changes neither the body, nor another finding, nor the noise.

    Args:
        seed: of the patient.
        findings: finding → severity in (0, 1], any in `FINDINGS`; by default a healthy chest.
        view: "PA", "AP" or "LATERAL".
        size: pixels per side.
        exposure: number of the exposure; another number positions and exposes the same patient again.
        sex: "F" or "M" instead of the drawn one.
        age: in years, instead of the drawn one.
        shot: fields of `ExposureSettings` to set instead of the drawn ones, such as `{"contrast": 3.0}`.
        shortcuts: kinds of shortcuts to plant on the film, any of `KINDS`.

    Returns:
        The radiograph with its truth.

    Raises:
        InputError: an unknown or invalid finding, severity, view, size, field of ``shot`` or shortcut.
    """
    return expose(
        draw_scenario(
            seed,
            findings,
            view=view,
            size=size,
            exposure=exposure,
            sex=sex,
            age=age,
            shot=shot,
            shortcuts=shortcuts,
        )
    )


def draw_scenario(
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
) -> Scenario:
    """Everything that determines the radiograph of ``render``, which takes the same arguments."""
    severities = _checked_findings(findings or {})
    patient = draw_patient(seed, sex=sex, age=age)
    geometry = draw_geometry(patient, view, size, exposure)
    stream = exposure + (LATERAL_EXPOSURES if view == "LATERAL" else 0)
    settings = draw_exposure(patient, geometry, stream)
    try:
        settings = replace(settings, **dict(shot or {}))  # type: ignore[arg-type]
    except TypeError as error:
        known = ", ".join(ExposureSettings.__dataclass_fields__)
        raise InputError(f"The shot has no such setting ({error}); choose from: {known}.") from error
    return Scenario(patient, view, size, exposure, settings, severities, tuple(shortcuts))


def expose(scenario: Scenario) -> Phantom:
    """Render the radiograph of a scenario."""
    patient, geometry, stream = scenario.patient, scenario.geometry, scenario.stream
    findings = dict(scenario.findings)
    states = _lateral_states if scenario.view == "LATERAL" else _frontal_states
    beam, masks, outlines = _masks_of_states(states(scenario, geometry), findings)
    truth, masks = _closed_truth(findings, masks, beam.shape)
    image = develop(
        beam,
        patient,
        geometry,
        scenario.settings,
        stream,
        tone=scenario.tone,
        marker=MARKER not in scenario.omitted,
    )
    planted = {}
    for kind in scenario.shortcuts:
        image, planted[kind] = plant(image, kind, generator(patient.seed, "shortcut", kind, stream))
    return Phantom(
        image=image,
        attenuation=beam,
        masks=masks,
        outlines=outlines,
        truth=truth,
        severity=findings,
        boxes={name: box(mask) for name, mask in masks.items() if mask.any()},
        patient=patient,
        exposure=scenario.settings,
        view=scenario.view,
        shortcuts=planted,
        scenario=scenario,
    )


def _in_order(findings: Mapping[str, float]) -> list[str]:
    """Names of findings in the order in which they are added."""
    return sorted(findings, key=lambda name: FINDINGS[name].order)


def _frontal_states(scenario: Scenario, geometry: RayGeometry) -> Iterator[RenderState]:
    """Yield attenuation and outlines of the healthy chest, then after each finding, in a frontal view."""
    patient = scenario.patient
    scene = healthy(patient, geometry, scenario.number)
    for part, leave_out in HEALTHY_PARTS.items():
        if part in scenario.omitted:
            scene = leave_out(scene)
    yield attenuation(scene), scene.outlines
    for name in _in_order(scenario.findings):
        place = scenario.places.get(name, 0)
        stream = generator(patient.seed, name, "place", place) if place else generator(patient.seed, name)
        scene = FINDINGS[name].add(scene, scenario.findings[name], stream)
        yield attenuation(scene), scene.outlines


def _lateral_states(scenario: Scenario, geometry: RayGeometry) -> Iterator[RenderState]:
    """The same in a lateral view, where findings lie as in the frontal one."""
    scene = healthy_lateral(scenario.patient, geometry, scenario.number)
    yield lateral_attenuation(scene), scene.outlines
    for name in _in_order(scenario.findings):
        scene = add_lateral(scene, name, scenario.findings[name])
        yield lateral_attenuation(scene), scene.outlines


def _masks_of_states(
    states: Iterator[RenderState], findings: Mapping[str, float]
) -> tuple[Array, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The last attenuation, the mask of each finding's change, and the last outlines."""
    all_states = list(states)
    masks = {
        name: np.abs(after - before) > TOLERANCE
        for name, (before, _), (after, _) in zip(
            _in_order(findings), all_states, all_states[1:], strict=False
        )
    }
    # The outlines may belong to a cached healthy body: the caller gets copies.
    return all_states[-1][0], masks, {name: mask.copy() for name, mask in all_states[-1][1].items()}


def _checked_findings(findings: Mapping[str, float]) -> dict[str, float]:
    """Findings by their canonical names; refuses unknown findings and invalid severities."""
    severities = {}
    for name, severity in findings.items():
        known = {finding_key(key): key for key in FINDINGS}.get(finding_key(name))
        if known is None:
            raise InputError(
                f"Finding {name!r} is not one a phantom can have; choose from: {', '.join(FINDINGS)}."
            )
        if not 0 < severity <= 1:
            raise InputError(
                f"The severity of {known} must be in (0, 1], got {severity}; leave it out for none."
            )
        severities[known] = float(severity)
    return severities


def _closed_truth(
    findings: Mapping[str, float], masks: dict[str, np.ndarray], shape: tuple[int, ...]
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """Truth of all fourteen labels, and masks in which every parent includes its children."""
    masks = dict(masks)
    for child in findings:
        name = child
        while name in HIERARCHY:
            name = HIERARCHY[name]
            masks[name] = masks.get(name, np.zeros(shape, bool)) | masks[child]
    return certain(findings), {name: masks[name] for name in CHEXPERT if name in masks}


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The bounding box of a mask that is not empty: left, top, right, bottom."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
