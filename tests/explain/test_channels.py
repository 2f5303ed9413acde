"""CAMs without gradients against numbers worked out by hand, NumPy's SVD and pytorch-grad-cam."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cxrbench.explain import METHODS, explain
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

A = torch.tensor([[[[1.0, 2], [3, 4]], [[2, 1], [1, 3]], [[2, 1], [0, 0.5]]]])
G = torch.tensor([[[1.0, 0], [0, 1]], [[-1, 1], [0.5, -0.25]], [[0.5, -0.5], [0.25, 2]]])


@pytest.fixture
def linear(chain: Callable[..., Any]) -> Any:
    """The logit is Σ G ⊙ A of the stage ``keep``, which is the image itself; the second is its negative."""
    layers = {"keep": nn.Identity(), "flat": nn.Flatten(), "fc": nn.Linear(12, 2, bias=False)}
    model = chain("keep", labels=2, preprocessing=Preprocessing(size=4, mean=0.0, std=1.0), **layers)
    with torch.no_grad():
        model.chain["fc"].weight.copy_(torch.stack([G.flatten(), -G.flatten()]))
    return model


def final(model: Any, images: torch.Tensor, key: str, findings: Sequence[int] = (0,)) -> torch.Tensor:
    *_, last = explain(model, images, findings, [key])
    return last.maps


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("score_cam", [[1.389751, 1.610249], [2.200882, 3.561208]]),
        ("ablation_cam", [[5.5, 10.25], [13.75, 17]]),
        ("recipro_cam(mask=cell)", [[-1.3125, -0.8125], [-0.8125, 2.9375]]),
        ("recipro_cam", [[-1.390625, -0.203125], [-0.203125, 1.796875]]),
        ("eigen_cam", [[-1.728406, -0.675612], [0.636306, 1.767712]]),
    ],
)
def test_a_method_gives_the_map_worked_out_by_hand(
    linear: Any, key: str, expected: list[list[float]]
) -> None:
    torch.testing.assert_close(final(linear, A, key)[0, 0], torch.tensor(expected), rtol=0, atol=2e-6)


def test_ablation_cam_of_a_negative_logit_is_the_negative_map(linear: Any) -> None:
    maps = final(linear, A, "ablation_cam", (0, 1))
    torch.testing.assert_close(maps[:, 1], -maps[:, 0])


def test_eigen_cam_is_the_leading_component_of_numpys_svd_with_a_fixed_sign(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    ours = final(model, images, "eigen_cam(stage=1)", (0,))
    features = model.trunk(images, model.stages[-2])
    for one, activations in zip(ours, features.as_maps(features.value).detach(), strict=True):
        cells = activations.flatten(1).T.double().numpy()
        cells = cells - cells.mean(0)
        _, _, components = np.linalg.svd(cells, full_matrices=False)
        expected = cells @ components[0]
        expected *= np.sign(expected[np.abs(expected).argmax()])
        np.testing.assert_allclose(one[0].flatten(), expected, atol=1e-4 * np.abs(expected).max())


def test_eigen_cam_does_not_depend_on_the_order_of_the_channels(linear: Any) -> None:
    permuted = A[:, [2, 0, 1]]
    torch.testing.assert_close(final(linear, permuted, "eigen_cam"), final(linear, A, "eigen_cam"))


def test_score_cam_leaves_out_the_channels_that_vary_least(linear: Any) -> None:
    whole, part = final(linear, A, "score_cam(channels=3)"), final(linear, A, "score_cam(channels=1)")
    torch.testing.assert_close(whole, final(linear, A, "score_cam"))
    torch.testing.assert_close(part[0, 0], A[0, 0])  # the first varies most: its weight alone is 1


def test_a_constant_channel_masks_everything(linear: Any) -> None:
    flat = torch.full_like(A, 2.0)
    assert torch.isfinite(final(linear, flat, "score_cam")).all()


def test_plain_cam_is_the_exact_decomposition_of_the_logit(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    model = random_model("densenet121")
    *_, last = explain(model, images, [0, 5], ["cam"])
    assert last.completeness.abs().max() < 1e-4
    linear: Any = model.backbone.classifier
    weights, bias = linear.weight.detach(), linear.bias.detach()
    activations = model.trunk(images).value.detach()
    expected = torch.einsum("kc,bchw->bkhw", weights[[0, 5]], activations) / activations[0, 0].numel()
    torch.testing.assert_close(last.maps, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))
    sums = last.maps.sum((2, 3)) + bias[[0, 5]]
    torch.testing.assert_close(sums, model(images)[:, [0, 5]].detach(), rtol=1e-4, atol=1e-5)


def test_plain_cam_does_not_apply_where_the_head_reads_a_token(
    random_model: Callable[[str], Classifier],
) -> None:
    problem = METHODS["cam"].supports(random_model("vit_tiny"))
    assert problem is not None
    assert "does not read the mean" in problem
