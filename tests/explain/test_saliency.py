"""Gradient methods: linear models, captum, and derivations with loops."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from captum.attr import InputXGradient, Saliency
from torch import nn

from cxrbench.explain import explain, heatmap, upsample
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=4, mean=0.0, std=1.0)


@pytest.fixture
def curved(chain: Callable[..., Any]) -> Any:
    torch.manual_seed(1)
    layers = {"flat": nn.Flatten(), "a": nn.Linear(32, 16), "act": nn.GELU(), "b": nn.Linear(16, 3)}
    return chain("flat", labels=3, preprocessing=PLAIN, **layers), torch.randn(2, 2, 4, 4)


@pytest.fixture
def straight(chain: Callable[..., Any]) -> Any:
    model = chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(16, 2))
    return model, torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(2))


def final(model: Any, images: torch.Tensor, key: str, findings: Sequence[int] = (0,)) -> torch.Tensor:
    *_, last = explain(model, images, findings, [key])
    assert last.progress == 1
    return last.maps


def test_saliency_is_captums(curved: Any) -> None:
    model, images = curved
    expected = Saliency(model).attribute(images.clone().requires_grad_(), target=1).sum(1)
    torch.testing.assert_close(final(model, images, "saliency", (1,))[:, 0], expected.detach())


def test_input_times_gradient_is_captums_where_black_is_zero(curved: Any) -> None:
    model, images = curved
    expected = InputXGradient(model).attribute(images.clone().requires_grad_(), target=1).sum(1)
    torch.testing.assert_close(final(model, images, "input_times_gradient", (1,))[:, 0], expected.detach())


def test_input_times_gradient_of_a_normalised_image_is_measured_from_black(chain: Callable[..., Any]) -> None:
    model = chain(
        "flat",
        preprocessing=Preprocessing(size=4, mean=0.5, std=0.25),
        flat=nn.Flatten(),
        fc=nn.Linear(16, 2),
    )
    black = torch.full((1, 1, 4, 4), -2.0)
    assert not final(model, black, "input_times_gradient").any()


def test_smooth_grad_of_one_sample_is_the_gradient(curved: Any) -> None:
    model, images = curved
    maps = final(model, images, "smooth_grad(samples=1)", (0, 2))
    leaf = images.clone().requires_grad_()
    for place, finding in enumerate((0, 2)):
        (expected,) = torch.autograd.grad(model(leaf)[:, finding].sum(), leaf)
        torch.testing.assert_close(maps[:, place], expected.sum(1))


@pytest.mark.parametrize("of", ["gradient", "input_times_gradient"])
def test_smooth_grad_and_var_grad_are_the_mean_and_variance_over_noisy_copies(curved: Any, of: str) -> None:
    model, images = curved
    random = torch.Generator().manual_seed(5)
    spread = 0.2 * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
    values = []
    for number in range(7):
        noise = torch.randn(images.shape[1:], generator=random) if number < 6 else torch.zeros(())
        leaf = (images + spread * noise).requires_grad_()
        (gradient,) = torch.autograd.grad(model(leaf)[:, 1].sum(), leaf)
        values.append((gradient if of == "gradient" else gradient * leaf.detach()).sum(1))
    stated = f"(samples=7,noise=0.2,of={of},seed=5)"
    mean, variance = torch.stack(values).mean(0), torch.stack(values).var(0, correction=0)
    torch.testing.assert_close(final(model, images, f"smooth_grad{stated}", (1,))[:, 0], mean)
    torch.testing.assert_close(
        final(model, images, f"var_grad{stated}", (1,))[:, 0], variance, rtol=1e-4, atol=1e-7
    )


def test_a_linear_model_has_the_same_gradient_everywhere(straight: Any) -> None:
    model, images = straight
    gradient = model.chain["fc"].weight[0].detach().view(4, 4)
    torch.testing.assert_close(final(model, images, "smooth_grad(samples=9,noise=0.5)")[0, 0], gradient)
    assert final(model, images, "var_grad(samples=9,noise=0.5)").abs().max() < 1e-12


def test_another_seed_gives_another_map_and_the_same_seed_the_same(curved: Any) -> None:
    model, images = curved
    one, again, other = (final(model, images, f"smooth_grad(samples=4,seed={seed})") for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_hybrid_is_integrated_gradients_where_grad_cam_is_positive(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    hybrid = final(model, image, "grad_cam_integrated_gradients(steps=3,stage=1)", (4,))
    fine = final(model, image, "integrated_gradients(steps=3)", (4,))
    coarse = final(model, image, "grad_cam(stage=1)", (4,))
    torch.testing.assert_close(hybrid, fine * heatmap(upsample(coarse, (96, 96))))
