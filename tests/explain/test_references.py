"""Gradients integrated from other films: twins and healthy films."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from cxrbench.compare import HeatMaps, Settings, Surroundings
from cxrbench.compare.run import compare
from cxrbench.data.phantom import FilmsWithout, render
from cxrbench.errors import InputError
from cxrbench.explain import Context, Explanation, explain, integrated_gradients
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.explain.passes import Passes
from cxrbench.explain.references import ExpectedParameters, expected_gradients, healthy_images
from cxrbench.inference import predict
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier


def final(model: Any, images: torch.Tensor, key: str, findings: list[int], context: Context) -> Explanation:
    *_, last = explain(model, images, findings, [key], context=context)
    return last


def test_the_map_from_the_twin_is_that_of_integrated_gradients_with_this_baseline(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    black = torch.full_like(images, -model.spec.preprocessing.mean / model.spec.preprocessing.std)
    ours = final(model, images, "twin_integrated_gradients(steps=4)", [2, 5], Context({2: black, 5: black}))
    *_, theirs = integrated_gradients(fast_copy(model, images.shape[1:]), images, [2, 5], steps=4)
    assert torch.equal(ours.maps, theirs.maps)
    assert torch.equal(ours.completeness, theirs.completeness)


def test_a_finding_without_a_twin_has_an_empty_map_and_no_completeness(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    last = final(model, image, "twin_integrated_gradients(steps=3)", [1, 6], Context({6: image * 0.5}))
    assert not last.maps[0, 0].any()
    assert torch.isnan(last.completeness[0, 0])
    assert last.maps[0, 1].any()
    nothing = final(model, image, "twin_integrated_gradients(steps=3)", [1], Context({}))
    assert not nothing.maps.any()


def test_progress_goes_through_the_findings(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    context = Context({0: image * 0.5, 1: image * 0.4})
    drafts = list(explain(model, image, [0, 1], ["twin_integrated_gradients(steps=8)"], context=context))
    progress = [each.progress for each in drafts]
    assert progress == sorted(set(progress))
    assert progress[-1] == 1
    assert progress[0] < 0.5


def test_without_twins_the_method_is_refused_with_a_reason(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    with pytest.raises(InputError, match="does not apply here: it needs the same patient without"):
        explain(random_model("efficientnet_b0"), image, [0], ["twin_integrated_gradients"])


def test_on_a_phantom_the_map_sums_to_the_true_change_of_the_logit(
    random_model: Callable[[str], Classifier],
) -> None:
    model = random_model("efficientnet_b0")
    phantom = render(7, {"Pleural Effusion": 0.8, "Edema": 0.4}, size=128)
    films = FilmsWithout(phantom.scenario, phantom.truth, phantom.image)
    settings = Settings((model.spec.name,), ("twin_integrated_gradients(steps=64)",))
    *_, heat = compare(
        phantom.image, settings, models={model.spec.name: model}, surroundings=Surroundings(films)
    )
    assert isinstance(heat, HeatMaps)
    finding = CHEXPERT.index("Pleural Effusion")
    logits = [predict(model, film).logits[0, finding] for film in (phantom.image, films["Pleural Effusion"])]
    change = float(logits[0] - logits[1])
    assert heat.maps[finding].sum() == pytest.approx(change, rel=0.03)
    assert not heat.maps[CHEXPERT.index("Fracture")].any()
    # without Edema also without the opacity that it alone implies: one twin, and another logit
    assert set(films) == {"Pleural Effusion", "Edema", "Lung Opacity"}
    assert np.array_equal(films["Edema"], films["Lung Opacity"])


def test_a_radiograph_without_twins_says_so_in_its_cell(
    random_model: Callable[[str], Classifier],
) -> None:
    model = random_model("efficientnet_b0")
    settings = Settings((model.spec.name,), ("twin_integrated_gradients", "edges"))
    _, twin, edges = compare(np.full((96, 96), 0.5, np.float32), settings, models={model.spec.name: model})
    assert isinstance(twin, HeatMaps)
    assert isinstance(edges, HeatMaps)
    assert "known for phantoms only" in (twin.problem or "")
    assert edges.problem is None


def test_expected_gradients_of_a_linear_model_are_exact(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    weight = torch.randn(2, 96 * 96, generator=torch.Generator().manual_seed(0))
    head = nn.Linear(96 * 96, 2, bias=True).requires_grad_(False)
    head.weight.copy_(weight)

    class Linear(nn.Module):
        spec, training, architecture = model.spec, False, model.architecture
        stages: tuple[str, ...] = ()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = head(images.flatten(1))
            return logits

    linear: Any = Linear().eval()
    baselines = healthy_images(model, (96, 96))
    count = len(baselines)
    *_, draft = expected_gradients(
        Passes(linear, image, torch.tensor([0, 1])), ExpectedParameters(samples=2 * count)
    )
    expected = (image - baselines.mean(0)) * weight.view(2, 96, 96)
    torch.testing.assert_close(draft.maps, expected, rtol=1e-4, atol=1e-5)
    assert draft.completeness.abs().max() < 1e-3


def test_expected_gradients_approach_completeness_with_more_samples(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    few, many = (
        final(model, image, f"expected_gradients(samples={n})", [3], Context()).completeness.abs().item()
        for n in (16, 512)
    )
    assert many < max(few, 0.1)
    assert many < 0.25


def test_another_seed_draws_other_points(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    one, again, other = (
        final(model, image, f"expected_gradients(samples=3,seed={seed})", [3], Context()).maps
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_healthy_films_are_prepared_as_the_model_takes_them(
    random_model: Callable[[str], Classifier],
) -> None:
    model = random_model("efficientnet_b0")
    images = healthy_images(model, (96, 96))
    assert images.shape == (16, 1, 96, 96)
    assert healthy_images(model, (64, 80)).shape == (16, 1, 64, 80)
    mean, std = model.spec.preprocessing.mean, model.spec.preprocessing.std
    grey = images * std + mean
    assert grey.min() >= -1e-6
    assert grey.max() <= 1 + 1e-6
    assert 0.2 < grey.mean() < 0.7


def test_without_healthy_films_the_reason_is_said(
    random_model: Callable[[str], Classifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    with pytest.raises(InputError, match="holds no healthy films"):
        healthy_images(random_model("efficientnet_b0"), (96, 96))
    (tmp_path / "healthy").mkdir()
    cv2.imwrite(str(tmp_path / "healthy" / "00.png"), np.full((50, 50), 99, np.uint8))
    assert healthy_images(random_model("efficientnet_b0"), (96, 96)).shape == (1, 1, 96, 96)
