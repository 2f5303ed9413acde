"""The films that a phantom's film turns into."""

import numpy as np
import pytest

from cxrbench.data.phantom import MARKER, Edit, FilmsWithout, Phantom, render, twin
from cxrbench.errors import InputError

SIZE = 96


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    findings = {"Edema": 0.6, "Lung Lesion": 0.5, "Cardiomegaly": 0.4}
    films = (render(seed, findings, size=SIZE) for seed in range(9))
    return next(film for film in films if film.exposure.marker)


@pytest.fixture
def films(phantom: Phantom) -> FilmsWithout:
    return FilmsWithout(phantom.scenario, phantom.truth, phantom.image, original=phantom)


def test_a_film_without_a_finding_is_its_twin(phantom: Phantom, films: FilmsWithout) -> None:
    pair = twin(phantom, without=("Edema",))
    np.testing.assert_allclose(films["Edema"], pair.phantom.image, atol=1e-6)
    assert set(films) == {
        "Edema",
        "Lung Lesion",
        "Lung Opacity",
        "Cardiomegaly",
        "Enlarged Cardiomediastinum",
    }
    edited = films.edited([Edit("Edema")])
    assert edited.absent == pair.absent == ("Edema",)
    assert edited.concentration == pytest.approx(pair.concentration, rel=1e-3)
    assert "Edema" not in edited.films
    with pytest.raises(KeyError):
        films["Fracture"]


def test_the_order_of_edits_does_not_count_and_a_film_is_rendered_once(films: FilmsWithout) -> None:
    edits = [Edit("Edema"), Edit("Lung Lesion", severity=0.9)]
    assert films.edited(edits) is films.edited(edits[::-1])
    again = [Edit("Lung Lesion", severity=0.2), *edits]  # the last severity counts
    assert films.edited(edits) is films.edited(again)
    unchanged = films.edited([Edit("Lung Lesion", severity=0.5)])
    assert np.array_equal(unchanged.image, films.image)
    assert unchanged.changed == ()


def test_edits_one_after_another_are_those_of_the_edited_film(films: FilmsWithout) -> None:
    both = films.edited([Edit("Edema"), Edit("Lung Lesion", severity=0.9)])
    first = films.edited([Edit("Edema")])
    second = first.films.edited([Edit("Lung Lesion", severity=0.9)])
    np.testing.assert_allclose(second.image, both.image, atol=1e-6)
    assert second.truth == both.truth


def test_a_stronger_finding_changes_more_of_the_film(films: FilmsWithout) -> None:
    masks = [films.edited([Edit("Lung Lesion", severity=value)]).masks["Lung Lesion"] for value in (0.2, 0.9)]
    assert masks[0].sum() < films.original.masks["Lung Lesion"].sum() < masks[1].sum()


def test_a_finding_moves_to_where_it_was_not(films: FilmsWithout) -> None:
    assert films.movable == ("Lung Lesion",)  # heart and edema have one place
    edit = films.elsewhere("Lung Lesion")
    moved, here = films.edited([edit]).masks["Lung Lesion"], films.original.masks["Lung Lesion"]
    assert moved.any()
    assert (moved & here).sum() < 0.5 * here.sum()
    further = films.elsewhere("Lung Lesion", [edit])
    assert further.place is not None
    assert edit.place is not None
    assert further.place > edit.place


def test_marker_and_healthy_parts_can_be_taken_away_once(films: FilmsWithout) -> None:
    assert films.removable[-3:] == (MARKER, "Shoulder girdle", "Bowel gas")
    edited = films.edited([Edit(MARKER)])
    assert edited.films.removable[-2:] == ("Shoulder girdle", "Bowel gas")
    assert MARKER not in edited.films.removable
    assert edited.truth == films.truth
    with pytest.raises(InputError, match="no 'Side marker' to remove"):
        edited.films.edited([Edit(MARKER)])


def test_what_was_planted_on_the_finished_film_can_be_taken_away(phantom: Phantom) -> None:
    marked = phantom.image.copy()
    marked[5:15, 5:15] = 1
    films = FilmsWithout(phantom.scenario, phantom.truth, marked, stored={"letter": phantom.image})
    assert "letter" in films.removable
    assert "letter" not in films
    plain = twin(phantom, without=("Edema",)).phantom.image
    both = films.edited([Edit("letter"), Edit("Edema")])
    np.testing.assert_allclose(both.image, plain, atol=1e-6)
    assert both.mask[10, 10]
    kept = films.edited([Edit("Edema")])
    assert (kept.image[5:15, 5:15] > 0.9).all()
    np.testing.assert_allclose(kept.films.edited([Edit("letter")]).image, plain, atol=1e-6)


def test_a_stored_film_is_taken_as_it_is(phantom: Phantom) -> None:
    film = np.zeros_like(phantom.image)
    films = FilmsWithout(phantom.scenario, phantom.truth, phantom.image, stored={"Edema": film})
    assert films["Edema"] is film
    assert films.edited([Edit("Edema")]).image is film


@pytest.mark.parametrize(
    "edit",
    [Edit("Lung Lesion"), Edit("Edema", severity=0.25), Edit("Lung Lesion", place=3), Edit(MARKER)],
)
def test_an_edit_survives_a_link(edit: Edit, films: FilmsWithout) -> None:
    assert films.read_edit(edit.text) == edit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("without:fracture", "the parts of this film are: enlarged_cardio"),
        ("remove:edema", "An edit must be without:PART"),
        ("without:edema:1", "An edit must be"),
        ("severity:edema", "An edit must be"),
        ("severity:edema:2", r"severity in the edit 'severity:edema:2' must be in \(0, 1\], got '2'"),
        ("severity:edema:nan", "must be in"),
        ("severity:side_marker:0.5", "Side marker has no severity to change; choose from: "),
        ("place:lung_lesion:-1", "whole number below 1000, got '-1'"),
        ("place:edema:1", "Edema cannot be moved on this film; choose from: Lung Lesion"),
    ],
)
def test_another_edit_is_refused(text: str, message: str, films: FilmsWithout) -> None:
    with pytest.raises(InputError, match=message):
        films.read_edit(text)


def test_a_finding_of_one_place_is_not_moved(phantom: Phantom) -> None:
    with pytest.raises(InputError, match="Edema has one place only"):
        twin(phantom, places={"Edema": 1})
