"""The maps of a phantom judged against its masks and twins."""

from typing import Any

import numpy as np
import pytest
import torch

from cxrbench.data.phantom import MARKER, Phantom, parts, render, twin, twins_without_each_part
from cxrbench.errors import InputError
from cxrbench.explain import explain
from cxrbench.inference import predict
from cxrbench.judge import CRITERIA, JudgedMap, cascade
from cxrbench.judge.films import JudgedFilm
from cxrbench.judge.judged_phantom import JudgedPhantom
from cxrbench.judge.localisation import hit
from cxrbench.judge.maps import enlarged
from cxrbench.judge.phantoms import judge_phantom
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing


@pytest.fixture(scope="module")
def model() -> Classifier:
    return create("efficientnet_b0", CHEXPERT, preprocessing=Preprocessing(size=64), seed=3).requires_grad_(
        False
    )


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(7, {"Pleural Effusion": 0.8, "Edema": 0.4, "Support Devices": 0.5}, size=128)


def test_the_changes_are_those_of_the_logits_of_the_twins(model: Classifier, phantom: Phantom) -> None:
    judged = JudgedPhantom(model, JudgedFilm(phantom))
    finding = CHEXPERT.index("Edema")
    before = predict(model, phantom.image).logits[0, finding]
    assert [part.name for part in judged.parts("Edema")] == list(parts(phantom))
    for part in judged.parts("Edema"):
        after = predict(model, twin(phantom, without=(part.name,)).phantom.image).logits[0, finding]
        assert part.change == pytest.approx(float(before - after), abs=1e-5)
        assert part.mask.shape == (64, 64)


def test_a_thin_mask_keeps_the_cells_that_it_touches(model: Classifier, phantom: Phantom) -> None:
    judged = JudgedPhantom(model, JudgedFilm(phantom))
    line = np.zeros((128, 128), bool)
    line[:, 5] = True
    assert judged.reduced(line).sum() == 64
    line[:, 4] = True  # the whole cell
    line[:, 6] = True  # and half of the next
    assert judged.reduced(line).sum() == 128


def test_every_finding_of_the_film_is_judged_by_every_criterion(model: Classifier, phantom: Phantom) -> None:
    criteria = [CRITERIA[name] for name in ("hit", "single_deletion", "twin_deletion", "share_in_lungs")]
    methods = ["grad_cam", "random(cells=5)"]
    found = list(judge_phantom(model, JudgedFilm(phantom), methods, criteria))
    assert len(found) == 2 * 3 * 4
    assert {each.method for each in found} == set(methods)
    grad_cam = {each.finding: each for each in found if (each.method, each.criterion) == ("grad_cam", "hit")}
    image = JudgedPhantom(model, JudgedFilm(phantom)).image
    for finding, judgement in grad_cam.items():
        (last,) = explain(model, image, [CHEXPERT.index(finding)], ["grad_cam"])
        mask = JudgedPhantom(model, JudgedFilm(phantom)).masks[finding]
        assert judgement.value == hit(enlarged(last.maps[0, 0].numpy(), (64, 64)), mask)
        assert judgement.best in (0, 1)


def test_the_map_from_the_twin_lies_on_what_differs(model: Classifier, phantom: Phantom) -> None:
    criteria = [CRITERIA["relevance_mass"]]
    found = list(
        judge_phantom(model, JudgedFilm(phantom), ["twin_integrated_gradients(steps=4)", "random"], criteria)
    )
    mass = {
        method: np.mean([each.value for each in found if each.method.startswith(method)])
        for method in ("twin", "random")
    }
    assert mass["twin"] > 2 * mass["random"]


def test_methods_that_do_not_apply_are_left_out(model: Classifier, phantom: Phantom) -> None:
    found = list(judge_phantom(model, JudgedFilm(phantom), ["legrad", "edges"], [CRITERIA["hit"]]))
    assert {each.method for each in found} == {"edges"}


def test_criteria_that_explain_changed_images_get_the_twin_of_each(
    model: Classifier, phantom: Phantom
) -> None:
    found = list(
        judge_phantom(
            model, JudgedFilm(phantom), ["twin_integrated_gradients(steps=1)"], [CRITERIA["max_sensitivity"]]
        )
    )
    assert all(np.isfinite(each.value) for each in found)


def test_a_film_without_findings_has_no_judgement(model: Classifier) -> None:
    assert list(judge_phantom(model, JudgedFilm(render(3, size=96)), ["edges"], [CRITERIA["hit"]])) == []


@pytest.mark.parametrize(
    ("preprocessing", "seen"),
    [
        (Preprocessing(size=64, crop="lungs"), r"sees a crop \(lungs\)"),
        (Preprocessing(size=(64, 96), fit="letterbox"), "sees it framed to 96 × 64 pixels"),
        (Preprocessing(size=(96, 64), fit="crop"), "sees it cut to 64 × 96 pixels"),
    ],
)
def test_a_model_that_sees_other_than_whole_phantoms_is_refused(
    phantom: Phantom, preprocessing: Preprocessing, seen: str
) -> None:
    other = create("efficientnet_b0", CHEXPERT, preprocessing=preprocessing)
    with pytest.raises(InputError, match=f"{seen}.*judge it on real films"):
        list(judge_phantom(other, JudgedFilm(phantom), ["edges"], [CRITERIA["hit"]]))


def test_the_model_is_left_as_it_was(model: Classifier, phantom: Phantom) -> None:
    before = {key: value.clone() for key, value in model.state_dict().items()}
    list(judge_phantom(model, JudgedFilm(phantom), ["grad_cam"], [CRITERIA["deletion_check"]]))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_every_criterion_is_computed_on_phantoms(model: Classifier) -> None:
    findings = {"Pleural Effusion": 0.8, "Edema": 0.4}
    film = JudgedFilm(render(7, findings, size=96, shortcuts=("hospital",)))
    found = list(judge_phantom(model, film, ["grad_cam", "random"], list(CRITERIA.values())))
    assert len(found) == 2 * 2 * len(CRITERIA)
    defined = {each.criterion for each in found if np.isfinite(each.value)}
    # The logits of a model with random weights hardly change: what needs a change stays undefined.
    undefined = {"confounder_sensitivity", "explanation_correlation", "preservation_check"}
    assert set(CRITERIA) - defined <= {*undefined, "deletion_check", "twin_deletion", "twin_insertion"}
    sensitivity = {
        each.value for each in found if (each.method, each.criterion) == ("random", "max_sensitivity")
    }
    assert sensitivity == {0.0}


def test_what_is_shared_between_maps_equals_what_a_criterion_computes_itself(
    model: Classifier, phantom: Phantom
) -> None:
    judged = JudgedPhantom(model, JudgedFilm(phantom))
    names = ("infidelity", "faithfulness_correlation", "max_sensitivity", "randomisation_spearman")
    found = judge_phantom(model, judged.film, ["grad_cam"], [CRITERIA[name] for name in names])
    values = {each.criterion: each.value for each in found if each.finding == "Edema"}
    index = judged.findings["Edema"]

    def maps(images: torch.Tensor, of: Any = model) -> torch.Tensor:
        (last,) = explain(of, images, [index], ["grad_cam"])
        return last.maps[:, 0]

    alone = JudgedMap(
        map=maps(judged.image)[0].numpy(),
        size=judged.size,
        image=judged.image[0],
        baselines=judged.baselines,
        score=judged.score("Edema"),
        explain=maps,
        randomised_maps=cascade(model, lambda of: maps(judged.image, of)[0].numpy(), judged.image).maps,
    )
    assert values == pytest.approx({name: CRITERIA[name].value(alone) for name in names}, rel=1e-4)


def test_the_shortcut_criteria_read_the_planted_marker_or_else_the_side_marker(model: Classifier) -> None:
    findings = {"Pneumonia": 0.7}
    film = JudgedFilm(render(5, findings, size=96, shortcuts=("letter",)))
    assert film.marker == "letter"
    judged = JudgedPhantom(model, film)
    unmarked = twin(film.phantom, without=("letter",)).phantom
    after = predict(model, unmarked.image).logits[0, CHEXPERT.index("Pneumonia")]
    assert judged.logit("Pneumonia", without="letter") == pytest.approx(float(after), abs=1e-5)
    neither = twin(film.phantom, without=("letter", "Pneumonia")).phantom.image
    assert np.array_equal(film.without_marker("Pneumonia"), neither)
    plain = JudgedFilm(render(7, findings, size=96, shot={"marker": "L"}))
    assert plain.marker == MARKER
    assert JudgedFilm(render(7, findings, size=96, shot={"marker": ""})).marker is None


def test_twins_of_all_parts_are_those_of_each(phantom: Phantom) -> None:
    twins = twins_without_each_part(phantom)
    masks = parts(phantom)
    assert list(twins) == list(masks)
    for name, each in twins.items():
        assert np.array_equal(each.mask, masks[name])
        assert np.array_equal(each.phantom.image, twin(phantom, without=(name,)).phantom.image)


def test_only_some_findings_can_be_judged(model: Classifier, phantom: Phantom) -> None:
    found = judge_phantom(model, JudgedFilm(phantom), ["edges"], [CRITERIA["hit"]], only=("Edema",))
    assert {each.finding for each in found} == {"Edema"}
