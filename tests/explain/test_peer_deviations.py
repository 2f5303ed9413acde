"""Known deviations of captum and pytorch-grad-cam, as docs/peers.md lists them, beside what is right.

A test that fails here after an update says that the library has mended the fault: remove it, and its line.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam
from pytorch_grad_cam import AblationCAM, EigenCAM, GradCAM, GradCAMPlusPlus, ScoreCAM, XGradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from cxrbench.explain import explain, feature_gradients, upsample
from cxrbench.explain.cam import cam_maps, grad_cam_plus_plus
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=4, mean=0.0, std=1.0)
A = torch.tensor([[[[1.0, 2], [3, 4]], [[2, 1], [1, 3]], [[2, 1], [0, 0.5]]]])
G = torch.tensor([[[1.0, 0], [0, 1]], [[-1, 1], [0.5, -0.25]], [[0.5, -0.5], [0.25, 2]]])


@pytest.fixture
def linear(chain: Callable[..., Any]) -> Any:
    """The logit is Σ G ⊙ A of the stage ``keep``, which is the image itself; the second is its negative."""
    layers = {"keep": nn.Identity(), "flat": nn.Flatten(), "fc": nn.Linear(12, 2, bias=False)}
    model = chain("keep", labels=2, preprocessing=PLAIN, **layers)
    with torch.no_grad():
        model.chain["fc"].weight.copy_(torch.stack([G.flatten(), -G.flatten()]))
    return model


def final(model: Any, images: torch.Tensor, key: str, finding: int = 0) -> torch.Tensor:
    *_, last = explain(model, images, [finding], [key])
    return last.maps


def raw(peer: Any, model: Any, layer: nn.Module, finding: int = 0) -> np.ndarray:
    """A map of pytorch-grad-cam before it is rectified and scaled, (h, w)."""
    targets = [ClassifierOutputTarget(finding)]
    with peer(model, [layer]) as cam:
        cam(A.clone().requires_grad_(), targets)
        recorded = cam.activations_and_grads
        gradients = recorded.gradients[0].numpy() if recorded.gradients else None
        maps: np.ndarray = cam.get_cam_image(A, layer, targets, recorded.activations[0].numpy(), gradients)
    model.zero_grad()
    one: np.ndarray = maps[0]
    return one


def test_captums_riemann_trapezoid_does_not_sum_to_the_difference_of_the_logits(linear: Any) -> None:
    def completeness(method: str) -> float:
        peer = IntegratedGradients(linear)
        total = peer.attribute(A, target=0, n_steps=50, method=method).sum()
        return float(total.detach() / linear(A)[0, 0].detach())

    # All 50 nodes have the weight 1/50, and the first and last are halved: 1 − 1/50.
    assert completeness("riemann_trapezoid") == pytest.approx(0.98, abs=1e-5)
    assert completeness("gausslegendre") == pytest.approx(1, abs=1e-5)
    assert final(linear, A, "integrated_gradients").sum() == pytest.approx(float(linear(A)[0, 0].detach()))


def test_captums_grad_cam_of_channels_last_features_averages_over_the_wrong_axes(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("swin_tiny")
    layer = model.backbone.get_submodule(model.stages[-1])
    theirs = LayerGradCam(model, layer).attribute(image.clone().requires_grad_(), target=0)
    activations, _ = feature_gradients(model, image, [0])
    assert final(model, image, "grad_cam").shape[2:] == activations.shape[2:]
    assert theirs.shape[2:] != activations.shape[2:]  # (row, channel) instead of (row, column)


def test_captum_enlarges_maps_to_blocks_by_default() -> None:
    theirs = LayerAttribution.interpolate(A, (4, 4))
    assert torch.equal(theirs, A.repeat_interleave(2, 2).repeat_interleave(2, 3))
    bilinear = LayerAttribution.interpolate(A, (4, 4), interpolate_mode="bilinear")
    torch.testing.assert_close(upsample(A, (4, 4)), bilinear)


def test_pytorch_grad_cams_eigen_cam_has_an_arbitrary_sign(linear: Any) -> None:
    """Its ReLU then removes the pattern that the map is about, and draws the rest."""
    signs = []
    for seed in range(20):
        activations = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(seed)).relu()
        one = EigenCAM.get_cam_image(None, None, None, None, activations.numpy(), None, False)[0]
        ours = final(linear, activations, "eigen_cam")[0, 0].numpy()
        signs.append(round(float((one * ours).sum() / (ours * ours).sum())))
        np.testing.assert_allclose(one, signs[-1] * ours, atol=1e-5)
        assert ours.max() == np.abs(ours).max()
    assert set(signs) == {-1, 1}


def test_pytorch_grad_cam_makes_an_empty_map_and_a_weak_map_look_like_others(linear: Any) -> None:
    """Its maps lose sign and size: negative values are cut, the rest is stretched from 0 to 1."""
    layer = linear.chain["keep"]
    for weight in (1.0, 1e-3):
        with torch.no_grad():
            linear.chain["fc"].weight.copy_(weight * torch.stack([G.flatten(), -G.flatten()]))
        with GradCAM(linear, [layer]) as cam:
            positive = cam(A.clone().requires_grad_(), [ClassifierOutputTarget(0)])
            negative = cam(A.clone().requires_grad_(), [ClassifierOutputTarget(1)])
        assert positive.min() == 0  # the raw map is nowhere below 1.56 (or a thousandth of that)
        assert positive.max() == pytest.approx(1, abs=1e-3)
        assert not negative.any()
        ours = final(linear, A, "grad_cam")
        assert ours.min() == pytest.approx(1.5625 * weight)
        torch.testing.assert_close(final(linear, A, "grad_cam", finding=1), -ours)


def test_pytorch_grad_cam_scales_a_constant_map_to_zero() -> None:
    assert not scale_cam_image(np.full((1, 7, 7), 3.0)).any()


def test_pytorch_grad_cams_score_cam_shifts_its_masks_against_the_image() -> None:
    ramp = torch.arange(7.0).expand(1, 1, 7, 7)
    aligned = nn.UpsamplingBilinear2d(size=(224, 224))(ramp)
    assert "UpsamplingBilinear2d" in ScoreCAM.get_cam_weights.__code__.co_names
    # At the borders by up to .41 of a cell of 32 pixels: 13 pixels.
    assert float((aligned - upsample(ramp, (224, 224))).abs().max()) == pytest.approx(0.41, abs=0.01)


def test_pytorch_grad_cams_grad_cam_plus_plus_adds_a_constant_of_the_size_of_small_gradients(
    linear: Any,
) -> None:
    ours = cam_maps(grad_cam_plus_plus, *feature_gradients(linear, A, [0]))[0, 0].numpy()
    np.testing.assert_allclose(raw(GradCAMPlusPlus, linear, linear.chain["keep"]), ours, rtol=1e-4)
    with torch.no_grad():
        linear.chain["fc"].weight.mul_(1e-3)  # gradients of 1e-3, as they are in a network
    ours = cam_maps(grad_cam_plus_plus, *feature_gradients(linear, A, [0]))[0, 0].numpy()
    theirs = raw(GradCAMPlusPlus, linear, linear.chain["keep"])
    assert (theirs / ours).max() < 0.9


def test_pytorch_grad_cams_xgrad_cam_adds_a_constant_to_a_sum_that_may_cancel() -> None:
    cam = partial(XGradCAM.get_cam_weights, None, None, None, None)
    activations, gradients = np.array([[[[1.0, -1.0 + 1e-7]]]]), np.array([[[[1.0, 0.5]]]])
    exact = (gradients * activations).sum() / activations.sum()
    assert cam(activations, gradients)[0, 0] / exact == pytest.approx(0.5, rel=1e-3)


def test_pytorch_grad_cams_ablation_cam_changes_sign_with_the_logit(linear: Any) -> None:
    """The published weight, (y − y₋ₖ) / y: the map of a finding and of its opposite are the same."""
    for finding in (0, 1):
        model = deepcopy(linear)
        # Ablated to −1e7 instead of 0, unless the smallest activation is exactly 0, as it is here.
        theirs = raw(AblationCAM, model, model.chain["keep"], finding)
        expected = final(linear, A, "ablation_cam", finding)[0, 0] / linear(A)[0, finding].detach()
        np.testing.assert_allclose(theirs, expected, rtol=1e-5)
    opposite = final(linear, A, "ablation_cam", finding=1)
    torch.testing.assert_close(opposite, -final(linear, A, "ablation_cam", finding=0))


def test_pytorch_grad_cams_ablation_cam_ablates_to_minus_ten_million_where_no_activation_is_zero(
    linear: Any,
) -> None:
    model, shifted = deepcopy(linear), A + 1
    targets = [ClassifierOutputTarget(0)]
    with AblationCAM(model, [model.chain["keep"]]) as cam:
        weights = cam.get_cam_weights(shifted, model.chain["keep"], targets, shifted.numpy(), None)
    assert np.abs(weights).max() > 1e5


def test_pytorch_grad_cams_ablation_cam_leaves_the_model_broken_after_an_exception(linear: Any) -> None:
    model = deepcopy(linear)
    calls: list[None] = []

    def target(_: torch.Tensor) -> torch.Tensor:
        calls.append(None)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return torch.tensor(1.0)

    layer = model.chain["keep"]
    with pytest.raises(KeyboardInterrupt), AblationCAM(model, [layer]) as cam:
        cam(A, [target])
    assert model.chain["keep"] is not layer  # the ablation layer is still in its place
    state = deepcopy(linear.state_dict())
    drafts = explain(linear, A, [0], ["ablation_cam"])
    next(drafts)
    drafts.close()  # type: ignore[attr-defined]
    assert all(torch.equal(value, state[key]) for key, value in linear.state_dict().items())
    torch.testing.assert_close(linear(A), model.chain["fc"](A.flatten(1)))


def test_pytorch_grad_cam_gives_maps_of_zeros_for_an_empty_list_of_targets(linear: Any) -> None:
    with GradCAM(linear, [linear.chain["keep"]]) as cam:
        two = cam(torch.cat([A, A]).requires_grad_(), [ClassifierOutputTarget(0)])
    assert two[0].any()
    assert not two[1].any()  # a list that is too short: the second image has no target


def test_pytorch_grad_cam_swallows_an_index_error(linear: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with GradCAM(linear, [linear.chain["keep"]]) as cam:
        cam(A.clone().requires_grad_(), [ClassifierOutputTarget(99)])
    assert "An exception occurred" in capsys.readouterr().out
