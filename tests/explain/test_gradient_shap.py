"""GradientSHAP: a loop, integrated gradients, captum, and a linear model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import GradientShap
from torch import nn

from cxrbench.explain import explain
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=4, mean=0.0, std=1.0)


def final(model: Any, images: torch.Tensor, key: str, *findings: int) -> Any:
    *_, last = explain(model, images, findings, [key])
    assert last.progress == 1
    return last


@pytest.fixture
def curved(chain: Callable[..., Any]) -> Any:
    torch.manual_seed(1)
    layers = {"flat": nn.Flatten(), "a": nn.Linear(16, 32), "act": nn.GELU(), "b": nn.Linear(32, 3)}
    return chain("flat", labels=3, preprocessing=PLAIN, **layers), torch.randn(2, 1, 4, 4)


def test_it_is_the_mean_over_random_points_derived_with_a_loop(curved: Any) -> None:
    model, images = curved
    random = torch.Generator().manual_seed(4)
    spread = 0.2 * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
    expected = torch.zeros_like(images)
    for _ in range(12):
        alpha = torch.rand((), generator=random)
        noisy = images + spread * torch.randn(1, 4, 4, generator=random)
        point = (alpha * noisy).requires_grad_()
        expected += torch.autograd.grad(model(point)[:, 2].sum(), point)[0] * noisy / 12
    found = final(model, images, "gradient_shap(samples=12,noise=0.2,seed=4)", 0, 2)
    torch.testing.assert_close(found.maps[:, 1], expected[:, 0], rtol=1e-4, atol=1e-6)
    assert found.completeness.isnan().all()


def test_without_noise_it_comes_close_to_integrated_gradients_and_to_captum(curved: Any) -> None:
    model, images = curved
    found = final(model, images, "gradient_shap(samples=1000)", 1)
    path = final(model, images, "integrated_gradients", 1)
    limit = 0.05 * float(path.maps.abs().max())
    torch.testing.assert_close(found.maps, path.maps, rtol=0, atol=limit)
    assert found.completeness.abs().max() < 0.1
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - captum's own generator
    theirs = GradientShap(model).attribute(images, torch.zeros(1, 1, 4, 4), n_samples=1000, target=1)
    torch.testing.assert_close(found.maps, theirs.detach(), rtol=0, atol=2 * limit)


def test_a_linear_model_is_exact_at_one_sample(chain: Callable[..., Any]) -> None:
    model = chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(16, 2))
    image = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    found = final(model, image, "gradient_shap(samples=1)", 1)
    torch.testing.assert_close(found.maps[0, 0], image[0, 0] * model.chain["fc"].weight[1].view(4, 4))
    assert abs(found.completeness.item()) < 1e-5


def test_findings_and_images_have_the_maps_that_they_have_alone(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    model, key = random_model("efficientnet_b0"), "gradient_shap(samples=4,noise=0.1)"
    together = final(model, images, key, 0, 7).maps
    for place, finding in enumerate((0, 7)):
        assert torch.equal(final(model, images, key, finding).maps[:, 0], together[:, place])
    second = final(model, images[1:], key, 0, 7).maps
    torch.testing.assert_close(second[0], together[1], rtol=1e-3, atol=1e-3 * float(second.abs().max()))
