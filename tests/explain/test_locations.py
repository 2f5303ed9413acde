"""Location priors: maps that never see the film."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cxrbench import data
from cxrbench.compare import HeatMaps, Settings, Surroundings
from cxrbench.compare.run import compare
from cxrbench.data.phantom import plan, render
from cxrbench.explain import Context, explain
from cxrbench.explain.locations import NIH_SIZE, box_cover, nih_prior, phantom_priors
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier


def test_the_cover_of_two_boxes() -> None:
    cover = box_cover(np.array([[0, 0, 0.5, 0.5], [0.25, 0, 1, 0.5]]), cells=4)
    assert cover.tolist() == [[0.5, 1, 0.5, 0.5], [0.5, 1, 0.5, 0.5], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert not box_cover(np.empty((0, 4)), cells=4).any()


# Pointing accuracy of the prior, leaving out the film's patient: share of boxes on whose cells its first
# maximum lies.
POINTING = {
    "Cardiomegaly": 0.986,
    "Pneumonia": 0.500,
    "Infiltration": 0.472,
    "Effusion": 0.373,
    "Pneumothorax": 0.316,
    "Mass": 0.306,
    "Atelectasis": 0.050,
    "Nodule": 0.000,
}


@pytest.mark.parametrize("finding", POINTING)
def test_the_prior_reaches_the_known_pointing_accuracy_on_nih(finding: str) -> None:
    boxes = data.published_nih_boxes()
    boxes = boxes[boxes["finding"] == finding]
    patients = boxes["image"].str.split("_").str[0]
    places = boxes[["x", "y", "width", "height"]].to_numpy(float) / NIH_SIZE
    hits = []
    for patient, (x, y, width, height) in zip(patients, places, strict=True):
        prior = nih_prior(finding, without_patient=patient)
        own = box_cover(np.array([x, y, x + width, y + height]))
        hits.append(bool(own.ravel()[prior.argmax()]))
    assert np.mean(hits) == pytest.approx(POINTING[finding], abs=0.0006)


def test_chexperts_names_combine_the_boxes_of_nih() -> None:
    lesion, mass, nodule = (nih_prior(name) for name in ("Lung Lesion", "Mass", "Nodule"))
    boxes = data.published_nih_boxes()["finding"]
    counts = [int((boxes == name).sum()) for name in ("Mass", "Nodule")]
    np.testing.assert_allclose(lesion, (counts[0] * mass + counts[1] * nodule) / sum(counts))
    assert np.array_equal(nih_prior("Pleural Effusion"), nih_prior("Effusion"))
    assert not nih_prior("Fracture").any()


def test_a_patient_of_the_table_is_left_out_of_the_map_of_the_own_film(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model, finding = random_model("efficientnet_b0"), CHEXPERT.index("Cardiomegaly")
    first = data.published_nih_boxes().query("finding == 'Cardiomegaly'").iloc[0]["image"]
    key = "location_prior(films=nih)"
    known = Context(patient=first.split("_")[0])
    (with_all,), (without,) = (
        list(explain(model, image, [finding], [key], context=each)) for each in (Context(), known)
    )
    assert not torch.equal(with_all.maps, without.maps)
    film = np.full((96, 96), 0.5, np.float32)
    settings = Settings((model.spec.name,), (key,))
    *_, heat = compare(film, settings, models={model.spec.name: model}, surroundings=Surroundings(name=first))
    assert isinstance(heat, HeatMaps)
    np.testing.assert_array_equal(heat.map_of("Cardiomegaly"), without.maps[0, 0])


def test_the_phantom_prior_lies_where_findings_of_other_phantoms_do() -> None:
    priors = phantom_priors()
    assert set(priors) == set(CHEXPERT) - {"No Finding"}
    heart = priors["Cardiomegaly"]
    assert heart.shape == (64, 64)
    assert 0 < heart.max() <= 1
    hits: dict[str, list[bool]] = {"Cardiomegaly": [], "Lung Lesion": []}
    for study in [s for s in plan(400, seed=5, fractions=(0, 0, 1)) if set(s.findings) & set(hits)][:40]:
        masks = render(study.seed, study.findings, view=study.view, size=64).masks
        for name in set(hits) & set(masks):
            hits[name].append(bool(masks[name].ravel()[priors[name].argmax()]))
    assert np.mean(hits["Cardiomegaly"]) > 0.5
    assert np.mean(hits["Lung Lesion"]) < 0.4


def test_a_finding_that_other_films_lack_has_an_empty_prior(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    (last,) = explain(random_model("efficientnet_b0"), image, [0, 2], ["location_prior"])
    assert not last.maps[0, 0].any()
    assert last.maps[0, 1].any()
