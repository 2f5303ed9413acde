"""The maps of a phantom judged against its masks and twins."""

import numpy as np
import pytest
import torch

from cxrbench.data.phantom import Phantom, parts, render, twin
from cxrbench.errors import InputError
from cxrbench.explain import explain
from cxrbench.inference import predict
from cxrbench.judge import CRITERIA
from cxrbench.judge.localisation import hit
from cxrbench.judge.maps import enlarged
from cxrbench.judge.phantoms import JudgedPhantom, judge_phantom
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
    judged = JudgedPhantom(model, phantom)
    finding = CHEXPERT.index("Edema")
    before = predict(model, phantom.image).logits[0, finding]
    assert [part.name for part in judged.parts("Edema")] == list(parts(phantom))
    for part in judged.parts("Edema"):
        after = predict(model, twin(phantom, without=(part.name,)).phantom.image).logits[0, finding]
        assert part.change == pytest.approx(float(before - after), abs=1e-5)
        assert part.mask.shape == (64, 64)


def test_a_thin_mask_keeps_the_cells_that_it_touches(model: Classifier, phantom: Phantom) -> None:
    judged = JudgedPhantom(model, phantom)
    line = np.zeros((128, 128), bool)
    line[:, 5] = True
    assert judged.reduced(line).sum() == 64
    line[:, 4] = True  # the whole cell
    line[:, 6] = True  # and half of the next
    assert judged.reduced(line).sum() == 128


def test_every_finding_of_the_film_is_judged_by_every_criterion(model: Classifier, phantom: Phantom) -> None:
    criteria = [CRITERIA[name] for name in ("hit", "single_deletion", "twin_deletion", "share_in_lungs")]
    methods = ["grad_cam", "random(cells=5)"]
    found = list(judge_phantom(model, phantom, methods, criteria))
    assert len(found) == 2 * 3 * 4
    assert {each.method for each in found} == set(methods)
    grad_cam = {each.finding: each for each in found if (each.method, each.criterion) == ("grad_cam", "hit")}
    image = JudgedPhantom(model, phantom).image
    for finding, judgement in grad_cam.items():
        (last,) = explain(model, image, [CHEXPERT.index(finding)], ["grad_cam"])
        mask = JudgedPhantom(model, phantom).masks[finding]
        assert judgement.value == hit(enlarged(last.maps[0, 0].numpy(), (64, 64)), mask)
        assert judgement.best in (0, 1)


def test_the_map_from_the_twin_lies_on_what_differs(model: Classifier, phantom: Phantom) -> None:
    criteria = [CRITERIA["relevance_mass"]]
    found = list(judge_phantom(model, phantom, ["twin_integrated_gradients(steps=4)", "random"], criteria))
    mass = {
        method: np.mean([each.value for each in found if each.method.startswith(method)])
        for method in ("twin", "random")
    }
    assert mass["twin"] > 2 * mass["random"]


def test_methods_that_do_not_apply_are_left_out(model: Classifier, phantom: Phantom) -> None:
    found = list(judge_phantom(model, phantom, ["legrad", "edges"], [CRITERIA["hit"]]))
    assert {each.method for each in found} == {"edges"}


def test_criteria_that_explain_changed_images_get_the_twin_of_each(
    model: Classifier, phantom: Phantom
) -> None:
    found = list(
        judge_phantom(model, phantom, ["twin_integrated_gradients(steps=1)"], [CRITERIA["max_sensitivity"]])
    )
    assert all(np.isfinite(each.value) for each in found)


def test_a_film_without_findings_has_no_judgement(model: Classifier) -> None:
    assert list(judge_phantom(model, render(3, size=96), ["edges"], [CRITERIA["hit"]])) == []


def test_what_phantoms_do_not_allow_is_refused(model: Classifier, phantom: Phantom) -> None:
    with pytest.raises(InputError, match="confounder_sensitivity cannot be computed here: it needs marker"):
        list(judge_phantom(model, phantom, ["edges"], [CRITERIA["confounder_sensitivity"]]))
    preprocessing = Preprocessing(size=64, crop="lungs")
    cropped = create("efficientnet_b0", CHEXPERT, preprocessing=preprocessing)
    with pytest.raises(InputError, match="sees a crop of the film"):
        list(judge_phantom(cropped, phantom, ["edges"], [CRITERIA["hit"]]))


def test_the_model_is_left_as_it_was(model: Classifier, phantom: Phantom) -> None:
    before = {key: value.clone() for key, value in model.state_dict().items()}
    list(judge_phantom(model, phantom, ["grad_cam"], [CRITERIA["deletion_check"]]))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
