"""The lateral film: the same patient and findings in the other view."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from cxrbench.data.phantom import FINDINGS, Phantom, render
from cxrbench.data.phantom.anatomy import draw_patient, generator
from cxrbench.data.phantom.devices import DEVICES, chosen_devices
from cxrbench.data.phantom.lateral import LateralScene, build_lateral
from cxrbench.data.phantom.lateral_devices import LATERAL_DEVICES
from cxrbench.data.phantom.lateral_findings import LATERAL_CHANGES, add_lateral
from cxrbench.data.phantom.turn import turn
from cxrbench.data.phantom.view import draw_geometry

SIZE = 160


def side_view(seed: int, findings: dict[str, float] | None = None, **options: Any) -> Phantom:
    return render(seed, findings, view="LATERAL", size=SIZE, **options)


def middle_of(mask: np.ndarray) -> np.ndarray:
    """Row and column of the centre, as fractions of the film."""
    centre: np.ndarray = np.argwhere(mask).mean(0) / SIZE
    return centre


def level(shot: Phantom, rows: np.ndarray) -> np.ndarray:
    """Levels of the rows of a film in the middle of the body, cm below the apex."""
    geometry = draw_geometry(shot.patient, shot.view, SIZE, 0)
    _, y = geometry.plane(0.0)
    levels: np.ndarray = y[:, SIZE // 2][np.rint(rows).astype(int)]
    return levels


def test_every_finding_and_device_has_a_lateral_rendering() -> None:
    assert {*LATERAL_CHANGES, "Support Devices"} == set(FINDINGS)
    assert list(LATERAL_DEVICES) == list(DEVICES)


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_severe_finding_is_visible_in_the_lateral_view(finding: str) -> None:
    assert side_view(31, {finding: 0.9}).masks[finding].any()


def test_the_lungs_have_the_same_volume_in_both_views() -> None:
    patient = draw_patient(4)
    scene = build_lateral(patient, draw_geometry(patient, "LATERAL", 64, 0), 0)
    for part in scene.frontal.lungs.values():
        spans = [turn(1.0, low, high, scene.slab.spacing).sum() for low, high in part.spans()]
        # one integrates over z and the other over x, with the same spacing
        assert sum(spans) == pytest.approx(part.length.sum(), rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_the_heart_lies_in_front_and_below_the_middle_of_the_lungs(seed: int) -> None:
    shot = side_view(seed)
    heart, lungs = middle_of(shot.outlines["heart"]), middle_of(shot.outlines["lungs"])
    assert heart[0] > lungs[0] + 0.05
    assert heart[1] < lungs[1] - 0.03  # the front is on the left of the film


@pytest.mark.parametrize("seed", range(4))
def test_it_is_darker_behind_the_heart_than_in_it(seed: int) -> None:
    shot = side_view(seed)
    heart, lungs = shot.outlines["heart"], shot.outlines["lungs"]
    row = int(middle_of(heart)[0] * SIZE)
    rear = int(np.flatnonzero(heart[row])[-1])
    window = slice(rear + SIZE // 50, rear + SIZE // 14)
    assert lungs[row, window].all()
    inside = shot.attenuation[row, int(middle_of(heart)[1] * SIZE) : rear]
    assert np.median(shot.attenuation[row, window]) < np.median(inside) - 0.15


@pytest.mark.parametrize("seed", range(4))
def test_a_lesion_is_at_the_same_level_in_both_views(seed: int) -> None:
    front = render(seed, {"Lung Lesion": 0.6}, size=SIZE)
    side = side_view(seed, {"Lung Lesion": 0.6})
    for edge in (0, -1):
        levels = [
            float(level(shot, np.flatnonzero(shot.masks["Lung Lesion"].any(1))[[edge]])[0])
            for shot in (front, side)
        ]
        assert levels[0] == pytest.approx(levels[1], abs=1.6)


@pytest.mark.parametrize("seed", range(4))
def test_an_effusion_fills_the_angle_behind(seed: int) -> None:
    shot = side_view(seed, {"Pleural Effusion": 0.35})
    fluid = shot.attenuation - side_view(seed).attenuation
    place = [(fluid.sum(1 - axis) * np.arange(SIZE)).sum() / fluid.sum() / SIZE for axis in (0, 1)]
    low, behind = place - middle_of(shot.outlines["lungs"])
    assert low > 0.15
    assert behind > 0


def test_a_large_heart_grows_backwards() -> None:
    bare, large = side_view(8), side_view(8, {"Cardiomegaly": 0.8})
    edges = [np.flatnonzero(shot.outlines["heart"].any(0))[[0, -1]] for shot in (bare, large)]
    assert edges[1][1] > edges[0][1] + 5
    assert abs(edges[1][0] - edges[0][0]) <= 3


@pytest.mark.parametrize("severity", [0.2, 0.8])
def test_the_devices_are_those_of_the_frontal_film(severity: float, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def noted(scene: LateralScene, random: np.random.Generator, *, name: str) -> np.ndarray:
        seen.append(name)
        return scene.added

    for name in LATERAL_DEVICES:
        monkeypatch.setitem(LATERAL_DEVICES, name, partial(noted, name=name))
    patient = draw_patient(6)
    scene = build_lateral(patient, draw_geometry(patient, "LATERAL", 64, 0), 0)
    add_lateral(scene, "Support Devices", severity)
    assert seen == chosen_devices(severity, generator(6, "Support Devices"))


def test_the_lateral_film_is_an_exposure_of_its_own() -> None:
    front, side = render(9, size=SIZE), side_view(9)
    assert front.patient == side.patient
    assert front.exposure != side.exposure
    assert side_view(9, exposure=1).exposure != side.exposure
