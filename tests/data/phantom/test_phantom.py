"""One radiograph and its truth."""

from typing import Any

import numpy as np
import pytest

from cxrbench.data.phantom import FINDINGS, TOLERANCE, VIEWS, Phantom, healthy, render, vessels
from cxrbench.data.phantom.anatomy import draw_patient
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, HIERARCHY

SIZE = 160


@pytest.mark.parametrize("view", VIEWS)
def test_the_same_seed_gives_the_same_picture_bit_for_bit(view: str) -> None:
    first = render(7, {"Edema": 0.5}, view=view, size=SIZE)
    healthy._cached_frontal.cache_clear()
    healthy._cached_lateral.cache_clear()
    vessels.vessel_tree.cache_clear()
    second = render(7, {"Edema": 0.5}, view=view, size=SIZE)  # without the cache of the first
    assert np.array_equal(first.image, second.image)
    assert first.image.dtype == np.float32
    assert first.image.shape == (SIZE, SIZE)
    assert first.image.min() >= 0
    assert first.image.max() <= 1


def test_no_two_patients_and_no_two_exposures_are_alike() -> None:
    pictures = [render(seed, size=SIZE).image for seed in range(3)] + [render(0, size=SIZE, exposure=1).image]
    for at, one in enumerate(pictures):
        assert all(abs(one - other).mean() > 0.01 for other in pictures[at + 1 :])


@pytest.mark.parametrize("finding", FINDINGS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_mask_is_exactly_what_the_finding_changed(finding: str, view: str) -> None:
    bare, ill = render(11, view=view, size=SIZE), render(11, {finding: 0.7}, view=view, size=SIZE)
    changed = np.abs(ill.attenuation - bare.attenuation) > TOLERANCE
    assert changed.any()
    assert np.array_equal(ill.masks[finding], changed)


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_picture_changes_most_inside_the_mask(finding: str) -> None:
    bare, ill = render(11, size=SIZE), render(11, {finding: 0.9}, size=SIZE)
    gap, mask = np.abs(ill.image - bare.image), ill.masks[finding]
    assert gap[mask].mean() > 2 * gap[~mask].mean()


def test_masks_of_several_findings_are_those_of_each_step() -> None:
    alone = render(3, {"Lung Lesion": 0.6}, size=SIZE)
    both = render(3, {"Support Devices": 0.5, "Lung Lesion": 0.6}, size=SIZE)
    assert np.array_equal(both.masks["Lung Lesion"], alone.masks["Lung Lesion"])
    lone = render(3, {"Support Devices": 0.5}, size=SIZE)
    overlap = (both.masks["Support Devices"] != lone.masks["Support Devices"]).mean()
    assert overlap < 0.001  # devices come last; only rounding at the tolerance may differ


@pytest.mark.parametrize("finding", FINDINGS)
def test_truth_boxes_and_masks_are_closed_under_the_hierarchy(finding: str) -> None:
    shot = render(5, {finding: 0.6}, size=SIZE)
    assert list(shot.truth) == list(CHEXPERT)
    name = finding
    while name in HIERARCHY:
        parent = HIERARCHY[name]
        assert shot.truth[name] == shot.truth[parent] == 1
        assert (shot.masks[parent] | shot.masks[name] == shot.masks[parent]).all()
        name = parent
    assert shot.truth["No Finding"] == int(finding == "Support Devices")
    for name, (left, top, right, bottom) in shot.boxes.items():
        mask = shot.masks[name]
        assert mask[top:bottom, left:right].sum() == mask.sum()
        assert all(edge.any() for edge in (mask[top], mask[bottom - 1], mask[:, left], mask[:, right - 1]))


def test_a_healthy_chest_has_no_finding() -> None:
    shot = render(5, size=SIZE)
    assert shot.truth == {name: int(name == "No Finding") for name in CHEXPERT}
    assert not shot.masks
    assert not shot.boxes


def ratio(shot: Phantom) -> float:
    """Cardiothoracic ratio, measured on the outlines like a reader."""
    heart = np.flatnonzero(shot.outlines["heart"].any(0))
    chest = np.flatnonzero(shot.outlines["lungs"].any(0))
    return np.ptp(heart) / np.ptp(chest)


@pytest.mark.parametrize("seed", range(12))
def test_cardiomegaly_is_a_heart_wider_than_half_the_chest(seed: int) -> None:
    assert ratio(render(seed, size=256)) < 0.5
    for severity in (0.05, 0.6, 1.0):
        shot = render(seed, {"Cardiomegaly": severity}, size=256)
        assert 0.5 < ratio(shot) < 0.75


def test_an_ap_heart_looks_larger() -> None:
    ratios = {
        view: np.mean([ratio(render(seed, view=view, size=256)) for seed in range(8)])
        for view in ("PA", "AP")
    }
    assert ratios["AP"] > 1.02 * ratios["PA"]


@pytest.mark.parametrize("finding", ["Cardiomegaly", "Pleural Effusion", "Lung Lesion", "Pneumothorax"])
def test_a_higher_severity_changes_more(finding: str) -> None:
    severities = (0.1, 0.5, 1.0)
    masks = [
        [render(seed, {finding: severity}, size=SIZE).masks[finding] for severity in severities]
        for seed in range(6)
    ]
    areas = np.mean([[mask.sum() for mask in row] for row in masks], axis=0)
    assert areas[0] < areas[1] < areas[2]


def test_a_pneumothorax_is_darker_and_an_effusion_brighter() -> None:
    for finding, sign in (("Pneumothorax", -1), ("Pleural Effusion", 1), ("Consolidation", 1)):
        bare, ill = render(21, size=SIZE), render(21, {finding: 0.8}, size=SIZE)
        assert sign * (ill.attenuation - bare.attenuation)[ill.masks[finding]].mean() > 0.05


def test_the_heart_is_on_the_side_that_the_marker_names_left() -> None:
    for seed in range(6):
        shot = render(seed, size=SIZE)
        heart, lungs = (np.flatnonzero(shot.outlines[name].any(0)) for name in ("heart", "lungs"))
        assert heart.mean() > lungs.mean()
        assert shot.exposure.marker in ("L", "R", "")


def test_fields_of_the_exposure_can_be_set() -> None:
    shot = render(2, size=SIZE, shot={"marker": "", "contrast": 1.5})
    assert shot.exposure.marker == ""
    assert shot.exposure.contrast == 1.5


def test_sex_and_age_can_be_given() -> None:
    shot = render(2, size=SIZE, sex="F", age=33)
    assert (shot.sex, shot.age) == ("F", 33)
    assert shot.patient.breast > 0
    assert draw_patient(2, sex="M").breast == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"findings": {"Hiccups": 0.5}}, "choose from: Enlarged Cardiomediastinum"),
        ({"findings": {"No Finding": 0.5}}, "not one a phantom can have"),
        ({"findings": {"Edema": 0.0}}, "leave it out"),
        ({"findings": {"Edema": 1.5}}, r"\(0, 1\]"),
        ({"view": "oblique"}, "choose from: PA"),
        ({"size": 8}, "at least 64"),
        ({"shot": {"colour": 1}}, "choose from: photons"),
    ],
)
def test_invalid_arguments_are_refused_in_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        render(0, **arguments)


def test_findings_are_read_in_any_spelling() -> None:
    assert render(0, {"pleural_effusion": 0.5}, size=SIZE).truth["Pleural Effusion"] == 1
