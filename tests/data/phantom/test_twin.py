"""Twins: the same patient, one thing changed; the change lies in its mask."""

import numpy as np
import pytest

from cxrbench.data.phantom import FINDINGS, HEALTHY_PARTS, MARKER, Phantom, parts, render, twin
from cxrbench.errors import InputError

SIZE = 160


def film(*findings: str, seed: int = 50, **options: object) -> Phantom:
    return render(seed, dict.fromkeys(findings, 0.6), size=SIZE, **options)  # type: ignore[arg-type]


def test_a_twin_with_nothing_changed_is_the_same_picture() -> None:
    original = film("Edema", "Cardiomegaly", shortcuts=("hospital",))
    assert np.array_equal(twin(original).phantom.image, original.image)


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_change_lies_in_the_mask_of_the_finding(finding: str) -> None:
    pair = twin(film(finding), without=(finding,))
    assert pair.concentration > 8  # edema, which spreads everywhere, 12 to 23; a fracture about 1,000
    assert np.abs(pair.difference[~pair.mask]).max() < 0.15
    assert finding in pair.absent
    assert pair.phantom.truth[finding] == 0


@pytest.mark.parametrize("view", ["AP", "LATERAL"])
def test_twins_exist_in_every_view(view: str) -> None:
    pair = twin(film("Pleural Effusion", "Cardiomegaly", view=view), without=("Pleural Effusion",))
    assert pair.concentration > 8
    assert pair.phantom.severity == {"Cardiomegaly": 0.6}


def test_the_twin_without_all_findings_is_the_healthy_film_up_to_its_grey_levels() -> None:
    original = film("Consolidation", "Pneumothorax")
    pair = twin(original, without=("Consolidation", "Pneumothorax"))
    healthy = render(50, size=SIZE)
    assert np.array_equal(pair.phantom.attenuation, healthy.attenuation)
    assert pair.phantom.truth == healthy.truth
    # The grey levels stay those of the ill film; on the healthy film alone they would be its own.
    assert np.corrcoef(pair.phantom.image.ravel(), healthy.image.ravel())[0, 1] > 0.99


def test_a_parent_goes_with_the_child_that_alone_implied_it() -> None:
    pair = twin(film("Cardiomegaly"), without=("Cardiomegaly",))
    assert set(pair.absent) == {"Cardiomegaly", "Enlarged Cardiomediastinum"}


def test_a_parent_stays_while_another_child_implies_it() -> None:
    pair = twin(film("Edema", "Lung Lesion"), without=("Edema",))
    assert pair.absent == ("Edema",)
    assert pair.phantom.truth["Lung Opacity"] == 1


def test_removing_a_parent_removes_its_children() -> None:
    pair = twin(film("Pneumonia", "Edema", "Pleural Effusion"), without=("Lung Opacity",))
    assert set(pair.changed) == {"Pneumonia", "Edema"}
    assert set(pair.absent) == {"Pneumonia", "Consolidation", "Edema", "Lung Opacity"}
    assert list(pair.phantom.severity) == ["Pleural Effusion"]


def test_the_side_marker_is_removed_and_nothing_else() -> None:
    original = next(f for f in (film(seed=seed) for seed in range(9)) if f.exposure.marker)
    pair = twin(original, without=(MARKER,))
    assert original.marker.any()
    assert not pair.phantom.marker.any()
    assert not pair.difference[~original.marker].any()
    assert (pair.difference[original.marker] != 0).mean() > 0.9


def test_a_planted_shortcut_is_removed_and_nothing_else() -> None:
    original = film("Edema", shortcuts=("hospital", "electrode"))
    pair = twin(original, without=("hospital",))
    assert list(pair.phantom.shortcuts) == ["electrode"]
    assert np.abs(pair.difference[~pair.mask]).max() < 0.021  # below what counts as visible
    assert np.abs(pair.difference[pair.mask]).max() > 0.1


@pytest.mark.parametrize("part", HEALTHY_PARTS)
def test_a_healthy_part_is_removed_and_no_label_changes(part: str) -> None:
    pair = twin(film("Edema"), without=(part,))
    assert pair.absent == ()
    assert pair.mask.any()
    assert pair.concentration > 8


def test_a_weaker_finding_changes_less() -> None:
    original = film("Pleural Effusion")
    changes = [
        np.abs(twin(original, severity={"Pleural Effusion": value}).difference).sum()
        for value in (0.5, 0.3, 0.1)
    ]
    assert changes == sorted(changes)
    assert twin(original, severity={"Pleural Effusion": 0.1}).absent == ()


def test_a_finding_is_moved_to_a_place_of_its_own_stream() -> None:
    original = film("Lung Lesion")
    pair = twin(original, places={"Lung Lesion": 1})
    there, here = pair.phantom.masks["Lung Lesion"], original.masks["Lung Lesion"]
    assert there.any()
    assert not np.array_equal(there, here)
    assert pair.absent == ()
    assert (pair.mask == (there | here)).all()
    back = twin(pair.phantom, places={"Lung Lesion": 0}).phantom
    assert np.allclose(back.image, original.image, atol=1e-6)


def test_parts_lists_what_can_be_removed() -> None:
    original = film("Edema", "Support Devices", shortcuts=("letter",), seed=51)
    found = parts(original)
    assert {"Edema", "Support Devices", "letter", *HEALTHY_PARTS} <= set(found)
    assert (MARKER in found) == bool(original.exposure.marker)
    for part in found:
        assert part in twin(original, without=(part,)).changed


def test_the_mask_is_undefined_where_nothing_is_visible() -> None:
    assert np.isnan(twin(film()).concentration)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"without": ("Edema",)}, "no 'Edema' to remove; it has: Fracture"),
        ({"severity": {"Fracture": 0.0}}, r"must be in \(0, 1\]"),
        ({"severity": {"Edema": 0.5}}, "no 'Edema' to change"),
        ({"places": {"Fracture": -1}}, "0 or more"),
    ],
)
def test_invalid_changes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        twin(film("Fracture"), **change)  # type: ignore[arg-type]


def test_moving_on_a_lateral_film_is_refused() -> None:
    with pytest.raises(InputError, match="frontal films only"):
        twin(film("Fracture", view="LATERAL"), places={"Fracture": 1})
