"""Raw maps against captum and pytorch-grad-cam, on random and on trained weights.

Known deviations, which explain how the comparisons below are made:

* pytorch-grad-cam's Grad-CAM++ adds 1e-6 to a denominator of the order of g², which in a network is about
  1e-6 itself, and its XGrad-CAM adds 1e-7 to ΣA, which may cancel. Equation 19 does not change when A is
  divided by what g is multiplied by, and XGrad-CAM is proportional to A. So the library's own formulas are
  given A and g scaled until the constants are negligible, in double precision.
* Captum's CAMs average over all axes after the second, which is wrong for NHWC and for tokens.
* Integrated gradients here run channels last, where convolutions sum in another order. In single precision
  this changes the sign of some ReLU inputs near zero, and changes captum's own map as much. So captum is
  given weights in the same memory layout, or double precision.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, LayerGradientXActivation
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from cxrbench.explain import baseline_images, feature_gradients, integrated_gradients
from cxrbench.explain.cam import (
    cam_maps,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    xgrad_cam,
)
from cxrbench.models import Classifier, hub

ARCHITECTURES = ("resnet50", "densenet121", "efficientnet_b0", "inception_v3", "swin_tiny", "vit_tiny")
# Formula → the peer's class, what its activations are multiplied by, and what its gradients are.
PEERS = {
    grad_cam: (GradCAM, 1, 1),
    grad_cam_plus_plus: (GradCAMPlusPlus, 1e-6, 1e6),
    hires_cam: (HiResCAM, 1, 1),
    xgrad_cam: (XGradCAM, 1e6, 1),
    layer_cam: (LayerCAM, 1, 1),
}
FINDINGS = [1, 9]


def raw_map(
    peer: Any, model: Any, image: Any, stage: Any, finding: Any, scale_a: float = 1.0, scale_g: float = 1.0
) -> Any:
    """Pytorch-grad-cam's map before it is rectified, rescaled and resized: (1, h, w)."""
    features = model.trunk(image, stage)
    layers = [model.backbone.get_submodule(stage)]
    with peer(model, layers, reshape_transform=features.as_maps) as cam:
        targets = [ClassifierOutputTarget(finding)]
        # The weights are frozen; a gradient reaches the layer only if the image requires one.
        cam(image.clone().requires_grad_(), targets)
        activations = scale_a * cam.activations_and_grads.activations[0].double().numpy()
        gradients = scale_g * cam.activations_and_grads.gradients[0].double().numpy()
        raw = cam.get_cam_image(image, layers[0], targets, activations, gradients, eigen_smooth=False)
    return raw / scale_a / scale_g


def agree_with_pytorch_grad_cam(
    model: Any, image: Any, relative: Callable[[torch.Tensor, torch.Tensor], float], stage: Any = None
) -> None:
    stage = model.stage(stage).name
    activations, gradients = feature_gradients(model, image, FINDINGS, stage)
    for formula, (peer, *scales) in PEERS.items():
        ours = cam_maps(formula, activations, gradients)
        for index, finding in enumerate(FINDINGS):
            theirs = raw_map(peer, model, image, stage, finding, *scales)
            assert relative(ours[:, index], theirs) <= 1e-5, (formula.__name__, finding)


def agree_with_captum(
    model: Any, image: Any, relative: Callable[[torch.Tensor, torch.Tensor], float], stage: Any = None
) -> None:
    layer = model.backbone.get_submodule(model.stage(stage).name)
    activations, gradients = feature_gradients(model, image, FINDINGS, stage)
    probe = image.clone().requires_grad_()
    for index, finding in enumerate(FINDINGS):
        theirs = LayerGradCam(model, layer).attribute(probe, target=finding).detach()[:, 0]
        assert relative(cam_maps(grad_cam, activations, gradients)[:, index], theirs) <= 1e-5
        theirs = LayerGradientXActivation(model, layer).attribute(probe, target=finding).detach().sum(1)
        assert relative(cam_maps(hires_cam, activations, gradients)[:, index], theirs) <= 1e-5


def agree_on_integrated_gradients(
    model: Any, image: Any, relative: Callable[[torch.Tensor, torch.Tensor], float]
) -> None:
    start = baseline_images(model, image, "black")
    *_, ours = integrated_gradients(model, image, FINDINGS, steps=6)
    peer = IntegratedGradients(deepcopy(model).to(memory_format=torch.channels_last))
    for index, finding in enumerate(FINDINGS):
        theirs = peer.attribute(image, start, target=finding, n_steps=6)
        assert relative(ours.maps[:, index], theirs.sum(1)) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("stage", [0, 1], ids=["last", "earlier"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_cams_are_those_of_pytorch_grad_cam(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
    stage: int,
) -> None:
    model = random_model(architecture)
    agree_with_pytorch_grad_cam(model, image, relative, model.stages[-1 - stage])


@pytest.mark.slow
@pytest.mark.parametrize("stage", [0, 1], ids=["last", "earlier"])
@pytest.mark.parametrize("architecture", ["resnet50", "densenet121", "efficientnet_b0", "inception_v3"])
def test_cams_are_those_of_captum(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
    stage: int,
) -> None:
    model = random_model(architecture)
    agree_with_captum(model, image, relative, model.stages[-1 - stage])


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_integrated_gradients_are_those_of_captum(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    agree_on_integrated_gradients(random_model(architecture), image, relative)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_integrated_gradients_are_those_of_captum_in_double_precision(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    model, picture = deepcopy(random_model(architecture)).double(), image.double()
    *_, ours = integrated_gradients(model, picture, [1], steps=4)
    start = baseline_images(model, picture, "black")
    theirs = IntegratedGradients(model).attribute(picture, start, target=1, n_steps=4)
    # Captum keeps the quadrature weights in single precision.
    assert relative(ours.maps[:, 0], theirs.sum(1)) <= 1e-5


@pytest.fixture(scope="module")
def trained() -> Any:
    """Every shipped model, with an image of noise on a gradient."""
    available = hub.available()
    if not available:
        pytest.skip("no trained model is shipped in assets/models yet")
    return [hub.load(folder) for folder in available.values()]


@pytest.mark.slow
def test_trained_weights_agree_with_both_libraries_too(
    trained: Any, relative: Callable[[torch.Tensor, torch.Tensor], float]
) -> None:
    picture = np.random.default_rng(0).random((300, 300)) * np.linspace(0, 1, 300)
    for model in trained:
        # Smaller than the models' own images: the comparison holds at any size.
        image = replace(model.spec.preprocessing, size=96)(picture)[None]
        agree_with_pytorch_grad_cam(model, image, relative)
        if model.stage().layout == "NCHW":  # captum makes no maps of tokens
            agree_with_captum(model, image, relative)
        agree_on_integrated_gradients(model, image, relative)
