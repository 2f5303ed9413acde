"""CAM formulas against numbers worked out by hand, and the passes that compute their inputs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, Context, Method, explain, feature_gradients
from cxrbench.explain.cam import (
    cam_maps,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    normalised_grad_cam_plus_plus,
    xgrad_cam,
)
from cxrbench.models import ARCHITECTURES, Classifier

POOLED = [name for name, record in ARCHITECTURES.items() if record.mean_pooled]
A = torch.tensor([[[[1.0, 2], [3, 4]], [[2, 1], [1, 3]], [[2, 1], [0, 0.5]]]])
G = torch.tensor([[[[1.0, 0], [0, 1]], [[-1, 1], [0.5, -0.25]], [[0.5, -0.5], [0.25, 2]]]])


def slow_grad_cam_plus_plus(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Equation 19 computed per cell, not reduced, in float64."""
    images, channels, height, width = activations.shape
    maps = torch.zeros(images, height, width, dtype=torch.float64)
    for b in range(images):
        for c in range(channels):
            a, g = activations[b, c].double(), gradients[b, c].double()
            total, weight = a.sum(), 0.0
            for value in g.flatten():
                if value != 0:
                    alpha = value**2 / (2 * value**2 + total * value**3)
                    weight += alpha * max(value, 0)
            maps[b] += weight * a
    return maps


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (grad_cam, [[1.75, 1.625], [1.5625, 2.46875]]),
        (hires_cam, [[0, 0.5], [0.5, 4.25]]),
        (layer_cam, [[2, 1], [0.5, 5]]),
        (xgrad_cam, [[1, 1.25], [1.321428, 1.678572]]),
        (grad_cam_plus_plus, [[1.455730, 0.977865], [0.702020, 1.493983]]),
    ],
)
def test_a_formula_gives_the_map_worked_out_by_hand(
    formula: Callable[..., Any], expected: list[list[float]]
) -> None:
    torch.testing.assert_close(formula(A, G), torch.tensor([expected]), rtol=0, atol=2e-6)


def test_hires_cam_of_a_linear_head_sums_to_its_logit() -> None:
    assert hires_cam(A, G).sum().item() == pytest.approx(5.25)


def test_layer_cam_is_elementwise_grad_cam_where_activations_are_not_negative() -> None:
    torch.testing.assert_close(layer_cam(A, G), (A * G).relu().sum(1))
    signed = A - 2
    assert not torch.allclose(layer_cam(signed, G), (signed * G).relu().sum(1))


def test_grad_cam_plus_plus_is_equation_19_derived_slowly() -> None:
    draw = torch.Generator().manual_seed(0)
    activations = torch.rand(2, 5, 3, 4, generator=draw)
    gradients = torch.randn(2, 5, 3, 4, generator=draw)
    gradients[gradients.abs() < 0.3] = 0
    ours = grad_cam_plus_plus(activations, gradients)
    torch.testing.assert_close(
        ours.double(), slow_grad_cam_plus_plus(activations, gradients), rtol=1e-5, atol=0
    )


def test_the_normalised_form_is_that_of_the_authors_program_derived_slowly() -> None:
    generator = torch.Generator().manual_seed(1)
    activations = torch.rand(2, 3, 4, 5, generator=generator)
    gradients = torch.randn(2, 3, 4, 5, generator=generator)
    gradients[0, 1] = -gradients[0, 1].abs()  # a channel in which nothing raises the score
    expected = torch.zeros(2, 4, 5)
    for image in range(2):
        for channel in range(3):
            a, g = activations[image, channel], gradients[image, channel]
            alpha = g**2 / (2 * g**2 + a.sum() * g**3)
            alpha = torch.where(g > 0, alpha, 0)
            total = alpha.sum()
            alpha = alpha / (total if total != 0 else 1)
            expected[image] += (alpha * g.clamp(min=0)).sum() * a
    ours = normalised_grad_cam_plus_plus(activations, gradients)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)
    # by hand: one channel, α = 1/3 and 1/4 of g = 1 and 2, S = 1, so the weight is (1/3 + 2/4) / (1/3 + 1/4)
    a, g = torch.tensor([[[[0.5, 0.5]]]]), torch.tensor([[[[1.0, 2.0]]]])
    weight = (1 / 3 + 2 / 4) / (1 / 3 + 1 / 4)
    torch.testing.assert_close(normalised_grad_cam_plus_plus(a, g), torch.full((1, 1, 2), 0.5 * weight))


def test_the_form_of_grad_cam_plus_plus_is_a_parameter(one_conv: Any) -> None:
    model, picture = one_conv
    paper, normalised = (
        next(explain(model, picture, [0], [key])).maps
        for key in ("grad_cam_plus_plus", "grad_cam_plus_plus(form=normalised)")
    )
    features, gradients = feature_gradients(model, picture, [0])
    torch.testing.assert_close(paper[:, 0], grad_cam_plus_plus(features, gradients[:, 0]))
    torch.testing.assert_close(normalised[:, 0], normalised_grad_cam_plus_plus(features, gradients[:, 0]))
    assert not torch.allclose(paper, normalised)


def test_grad_cam_plus_plus_survives_gradients_whose_cube_underflows() -> None:
    maps = grad_cam_plus_plus(A, G * 1e-20)
    torch.testing.assert_close(maps * 1e20, (G.relu().sum((2, 3), keepdim=True) / 2 * A).sum(1))


def test_a_vanishing_denominator_gives_a_weight_of_zero_not_infinity() -> None:
    cancelling = torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]]])
    assert torch.equal(xgrad_cam(cancelling, torch.ones(1, 1, 2, 2)), torch.zeros(1, 2, 2))
    # 2 + S·g = 0 with S = −2, g = 1.
    assert torch.equal(
        grad_cam_plus_plus(-0.5 * torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)), torch.zeros(1, 2, 2)
    )


def test_dead_channels_and_zero_gradients_give_zero_maps() -> None:
    for formula in (grad_cam, grad_cam_plus_plus, hires_cam, xgrad_cam, layer_cam):
        assert not formula(torch.zeros_like(A), G).any()
        assert not formula(A, torch.zeros_like(G)).any()


@pytest.fixture
def one_conv(chain: Callable[..., Any]) -> Any:
    """Captum's one-convolution network and its image."""
    model = chain(
        "relu1",
        conv1=nn.Conv2d(1, 2, 3),
        relu1=nn.ReLU(inplace=True),
        flat=nn.Flatten(),
        fc=nn.Linear(8, 2, bias=False),
    )
    with torch.no_grad():
        model.chain["conv1"].weight.fill_(1)
        model.chain["conv1"].bias.copy_(torch.tensor([-50.0, -75.0]))
        model.chain["fc"].weight[0] = torch.tensor([1.0, 1, 1, 1, 1, -1, -1, -1])
        model.chain["fc"].weight[1] = 1
    return model, torch.arange(16.0).view(1, 1, 4, 4)


@pytest.mark.parametrize(
    ("stage", "expected"), [("conv1", [[11.25, 13.5], [20.25, 22.5]]), ("relu1", [[0, 4], [28, 32.5]])]
)
def test_grad_cam_of_captums_one_convolution_network(
    one_conv: Any, stage: str, expected: list[list[float]]
) -> None:
    model, picture = one_conv
    maps = cam_maps(grad_cam, *feature_gradients(model, picture, [0], stage))
    torch.testing.assert_close(maps, torch.tensor([[expected]]))


def test_activations_are_read_before_an_in_place_step_overwrites_them(one_conv: Any) -> None:
    model, picture = one_conv
    with torch.no_grad():
        before = model.chain["conv1"](picture)
    activations, _ = feature_gradients(model, picture, [0], "conv1")
    assert before.min() < 0
    assert torch.equal(activations, before)


@pytest.mark.parametrize("architecture", POOLED)
def test_three_methods_give_the_same_map_at_the_last_stage_of_a_pooled_network(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    activations, gradients = feature_gradients(random_model(architecture), image, [0, 5])
    reference = cam_maps(grad_cam, activations, gradients)
    assert relative(cam_maps(hires_cam, activations, gradients), reference) <= 2e-6
    assert relative(cam_maps(xgrad_cam, activations, gradients), reference) <= 2e-6


@pytest.mark.parametrize("architecture", ["densenet121", "resnet50"])
def test_the_three_methods_differ_at_an_earlier_stage(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    activations, gradients = feature_gradients(random_model(architecture), image, [0], 1)
    reference = cam_maps(grad_cam, activations, gradients)
    assert relative(cam_maps(hires_cam, activations, gradients), reference) > 0.01


def test_the_gradient_is_that_of_autograd_through_the_whole_network(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("resnet50")
    activations, gradients = feature_gradients(model, image, [2], "layer3")
    features = model.trunk(image, "layer3")
    leaf = features.value.clone().requires_grad_()
    backbone: Any = model.backbone
    logit = model.architecture.head(backbone)(backbone.layer4(leaf.clone()))[0, 2]
    assert torch.equal(activations, features.value)
    assert torch.equal(gradients[:, 0], torch.autograd.grad(logit, leaf)[0])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_callers_gradient_mode_does_not_matter_and_is_kept(
    one_conv: Any, mode: type[torch.no_grad] | type[torch.inference_mode] | type[torch.enable_grad]
) -> None:
    model, picture = one_conv
    expected = feature_gradients(model, picture, [0, 1])
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        result = feature_gradients(model, picture.clone(), [0, 1])
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(result, expected, strict=True))


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_and_trainable_weights_give_the_same_map_and_no_grad(one_conv: Any, frozen: bool) -> None:
    model, picture = one_conv
    expected = feature_gradients(model, picture, [0])
    result = feature_gradients(model.requires_grad_(not frozen), picture.requires_grad_(), [0])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(result, expected, strict=True))
    assert not any(tensor.requires_grad for tensor in result)
    assert picture.grad is None
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_in_train_mode_is_refused_even_in_one_part(one_conv: Any) -> None:
    model, picture = one_conv
    model.chain["relu1"].train()
    with pytest.raises(InputError, match=r"eval mode.*train mode.*eval\(\).*chain\.relu1"):
        feature_gradients(model, picture, [0])


@pytest.mark.parametrize(
    ("findings", "message"),
    [([2], "between 0 and 1.*got 2"), ([-1], "got -1"), ([], "one or more"), ([0.5], "whole numbers")],
)
def test_a_finding_the_model_does_not_have_is_refused(one_conv: Any, findings: Any, message: str) -> None:
    model, picture = one_conv
    with pytest.raises(InputError, match=f"findings must.*{message}.*finding_indices"):
        feature_gradients(model, picture, findings)


def test_images_of_another_shape_are_refused(one_conv: Any) -> None:
    model, picture = one_conv
    with pytest.raises(InputError, match=r"images must be floats.*\(B, C, H, W\).*\(1, 4, 4\)"):
        feature_gradients(model, picture[0], [0])


def test_a_stage_is_found_by_name_or_counted_from_the_last(one_conv: Any) -> None:
    model, picture = one_conv
    assert feature_gradients(model, picture, [0], 1)[0].min() < 0  # conv1, before the ReLU
    assert feature_gradients(model, picture, [0], 0)[0].min() == 0
    with pytest.raises(InputError, match=r"between 0 and 1.*got 2.*conv1, relu1"):
        feature_gradients(model, picture, [0], 2)


@pytest.mark.parametrize("record", METHODS.values(), ids=list(METHODS))
def test_every_method_refuses_half_precision_train_mode_and_other_images(
    one_conv: Any, record: Method
) -> None:
    model, picture = one_conv
    with pytest.raises(InputError, match=r"call images\.to\(torch\.float32\)"):
        record.explain(model, picture.double(), [0])
    with pytest.raises(InputError, match="must have 1 channel"):
        record.explain(model, picture.repeat(1, 3, 1, 1), [0])
    with pytest.raises(InputError, match="float32 or float64, and has float16"):
        record.explain(model.half(), picture, [0])
    with pytest.raises(InputError, match="train mode"):
        record.explain(model.float().train(), picture, [0])


def test_a_model_in_double_precision_is_explained(one_conv: Any) -> None:
    model, picture = one_conv
    for record in (each for each in METHODS.values() if each.supports(model) is None):
        twins = Context(twins={0: picture * 0.5})
        single = record.explain(model.float(), picture, [0], twins)
        double_twins = Context(twins={0: picture.double() * 0.5})
        double = record.explain(model.double(), picture.double(), [0], double_twins)
        assert double.dtype == torch.float64
        torch.testing.assert_close(double.float(), single, atol=1e-5, rtol=1e-4)
