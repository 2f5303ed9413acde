"""Integrated gradients: known sums, completeness, drafts and stopping."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import BASELINES, Draft, baseline_images, integrated_gradients
from cxrbench.preprocess import Preprocessing

A = [[[1.0, 2], [3, 4]], [[2, 1], [1, 3]], [[2, 1], [0, 0.5]]]
G = [[[1.0, 0], [0, 1]], [[-1, 1], [0.5, -0.25]], [[0.5, -0.5], [0.25, 2]]]
# Black is 0 here, so that integration starts from zero.
PLAIN = Preprocessing(size=4, mean=0.0, std=1.0)


def finished(*arguments: Any, **options: Any) -> Draft:
    *_, last = integrated_gradients(*arguments, **options)
    return last


@pytest.fixture
def linear(chain: Callable[..., Any]) -> Any:
    model = chain("flat", labels=2, preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(12, 2, bias=False))
    with torch.no_grad():
        model.chain["fc"].weight[0] = torch.tensor(G).flatten()
        model.chain["fc"].weight[1] = 0
    return model


@pytest.fixture
def curved(chain: Callable[..., Any]) -> Any:
    """Smooth and strongly non-linear, so that few steps are not enough."""
    torch.manual_seed(1)
    layers = {"flat": nn.Flatten(), "a": nn.Linear(16, 32), "act": nn.GELU(), "b": nn.Linear(32, 3)}
    model = chain("flat", labels=3, preprocessing=PLAIN, **layers)
    with torch.no_grad():
        model.chain["a"].weight.mul_(4)
    return model, torch.randn(2, 1, 4, 4)


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_a_linear_model_is_complete_at_any_number_of_steps(linear: Any, steps: int) -> None:
    found = finished(linear, torch.tensor([A]), [0], steps=steps)
    expected = (torch.tensor(A) * torch.tensor(G)).sum(0)
    torch.testing.assert_close(found.maps[0, 0], expected)
    assert found.maps.sum().item() == pytest.approx(5.25)
    assert abs(found.completeness.item()) < 1e-6


def test_completeness_is_undefined_where_the_logit_does_not_change(linear: Any) -> None:
    found = finished(linear, torch.tensor([A]), [1], steps=3)
    assert not found.maps.any()
    assert torch.isnan(found.completeness).all()


def test_the_completeness_error_falls_with_the_steps(curved: Any) -> None:
    model, images = curved
    errors = [
        finished(model, images, [0, 1, 2], steps=steps).completeness.abs().max().item()
        for steps in (1, 2, 4, 8)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3 < 0.1 < errors[0]


def test_completeness_is_the_relative_difference_of_sum_and_change_of_the_logit(curved: Any) -> None:
    model, images = curved
    found = finished(model, images, [1], steps=3)
    with torch.no_grad():
        rise = (model(images) - model(torch.zeros_like(images)))[:, 1]
    expected = (found.maps.sum((1, 2, 3)) - rise) / rise.abs()
    torch.testing.assert_close(found.completeness[:, 0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("steps", [5, 50])
def test_the_final_map_equals_captums(
    curved: Any, relative: Callable[[torch.Tensor, torch.Tensor], float], baseline: str, steps: int
) -> None:
    model, images = curved
    start = baseline_images(model, images, baseline)
    found = finished(model, images, [2], baseline=baseline, steps=steps)
    theirs = IntegratedGradients(model).attribute(images, start, target=2, n_steps=steps)
    assert relative(found.maps, theirs.sum(1, keepdim=True)) <= 1e-5


def test_the_quadrature_equals_a_direct_gauss_legendre_sum(curved: Any) -> None:
    model, images = curved
    nodes, weights = np.polynomial.legendre.leggauss(6)
    total = torch.zeros_like(images)
    for node, weight in zip(nodes, weights, strict=True):
        point = (images * float((node + 1) / 2)).requires_grad_()
        total += float(weight / 2) * torch.autograd.grad(model(point)[:, 0].sum(), point)[0]
    found = finished(model, images, [0], steps=6)
    torch.testing.assert_close(found.maps, total * images, rtol=1e-5, atol=1e-6)


def test_drafts_count_up_to_all_path_points(curved: Any) -> None:
    model, images = curved
    drafts = list(integrated_gradients(model, images, [0, 1], steps=50))
    counts = [draft.done for draft in drafts]
    assert counts == sorted(set(counts))
    assert counts[0] <= 5
    assert counts[-1] == 50 == drafts[-1].total


def test_an_early_draft_correlates_with_the_final_map(curved: Any) -> None:
    model, images = curved
    drafts = list(integrated_gradients(model, images, [0], steps=50, chunk=10))
    final = drafts[-1].maps.flatten()
    alike = [torch.corrcoef(torch.stack([draft.maps.flatten(), final]))[0, 1].item() for draft in drafts]
    assert alike[0] > 0.9
    assert alike[-2] > 0.99


def test_a_draft_is_not_changed_by_later_ones(curved: Any) -> None:
    model, images = curved
    drafts = integrated_gradients(model, images, [0], steps=20)
    first = next(drafts)
    copy = first.maps.clone()
    list(drafts)
    assert torch.equal(first.maps, copy)


def test_stopping_keeps_the_callers_gradient_mode(curved: Any) -> None:
    model, images = curved
    for mode in (torch.no_grad, torch.enable_grad):
        with mode():
            before = torch.is_grad_enabled()
            drafts = integrated_gradients(model, images, [0], steps=20)
            assert isinstance(drafts, Generator)
            next(drafts)
            assert torch.is_grad_enabled() == before
            drafts.close()
            assert torch.is_grad_enabled() == before


def test_inference_mode_gives_the_same_bits(curved: Any) -> None:
    model, images = curved
    expected = finished(model, images, [0, 2], steps=9)
    with torch.inference_mode():
        found = finished(model, images.clone(), [0, 2], steps=9)
    assert torch.equal(found.maps, expected.maps)


def test_the_black_baseline_is_a_preprocessed_black_image_not_zero(chain: Callable[..., Any]) -> None:
    recipe = Preprocessing(size=4, mean=0.449, std=0.226)
    model = chain("flat", preprocessing=recipe, flat=nn.Flatten(), fc=nn.Linear(16, 2))
    picture = recipe(np.random.default_rng(0).random((9, 9)))[None]
    assert torch.equal(baseline_images(model, picture, "black"), recipe(np.zeros((9, 9)))[None])


def test_mean_and_blur_keep_each_images_own_mean(curved: Any) -> None:
    model, images = curved
    flat = baseline_images(model, images, "mean")
    torch.testing.assert_close(flat.mean((1, 2, 3)), images.mean((1, 2, 3)))
    assert flat.flatten(1).std(1).max() < 1e-6
    constant = torch.full((1, 1, 40, 30), 0.7)
    torch.testing.assert_close(baseline_images(model, constant, "blur"), constant)
    spike = torch.zeros(1, 1, 101, 101)
    spike[..., 50, 50] = 1
    blurred = baseline_images(model, spike, "blur")
    assert blurred.sum().item() == pytest.approx(1, rel=1e-4)
    assert blurred.max() == blurred[0, 0, 50, 50]
    torch.testing.assert_close(blurred, blurred.flip(3).transpose(2, 3))


def test_an_unknown_baseline_and_zero_steps_are_refused(curved: Any) -> None:
    model, images = curved
    with pytest.raises(InputError, match=r"Unknown baseline 'grey'.*black, mean, blur"):
        integrated_gradients(model, images, [0], baseline="grey")
    with pytest.raises(InputError, match="steps must be at least 1; got 0"):
        integrated_gradients(model, images, [0], steps=0)
