"""Maps against captum and pytorch-grad-cam: the table of ``cxrbench verify``, on more backbones."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from cxrbench.explain import METHODS, baseline_images, explain, integrated_gradients
from cxrbench.explain.peers import (
    CAPTUM,
    NO_PEER,
    PEERS,
    PYTORCH_GRAD_CAM,
    Difference,
    Peer,
    differences,
    installed,
)
from cxrbench.models import Classifier, hub

ARCHITECTURES = ("resnet50", "densenet121", "efficientnet_b0", "inception_v3", "swin_tiny", "vit_tiny")
FINDINGS = [1, 9]
CAMS = ["grad_cam", "grad_cam_plus_plus", "hires_cam", "xgrad_cam", "layer_cam"]


@pytest.fixture
def image(image: torch.Tensor, request: pytest.FixtureRequest) -> torch.Tensor:
    """Of 128 pixels for Inception-v3: at 96 its last feature map is one cell, where no channel varies."""
    if "inception_v3" in request.node.name:
        return nn.functional.interpolate(image, size=128, mode="bicubic")
    return image


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_map_is_that_of_its_peers(
    random_model: Callable[[str], Classifier], image: torch.Tensor, architecture: str
) -> None:
    model = random_model(architecture)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    found = list(differences(model, image, FINDINGS))
    assert [each for each in found if not each.within] == []
    # Captum's maps of feature maps are wrong for NHWC and for tokens, and are left out there.
    applicable = {name: peers for name, peers in PEERS.items() if METHODS[name].supports(model) is None}
    assert len(found) == sum(peer.applies(model) for peers in applicable.values() for peer in peers)
    # The peers had a copy.
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_cams_of_an_earlier_stage_are_those_of_their_peers(
    random_model: Callable[[str], Classifier], image: torch.Tensor, architecture: str
) -> None:
    found = list(differences(random_model(architecture), image, FINDINGS, methods=CAMS, stage=1))
    assert [each for each in found if not each.within] == []


def test_quick_methods_are_those_of_their_peers(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    methods = ["grad_cam", "eigen_cam", "saliency"]
    found = list(differences(random_model("efficientnet_b0"), image, [3], methods=methods))
    assert [(each.method, each.package) for each in found] == [
        ("grad_cam", CAPTUM),
        ("grad_cam", PYTORCH_GRAD_CAM),
        ("eigen_cam", PYTORCH_GRAD_CAM),
        ("saliency", CAPTUM),
    ]
    assert all(each.within for each in found)


@pytest.mark.parametrize(("offset", "expected"), [(0.0, 0.0), (0.5, 0.5), (torch.nan, torch.nan)])
def test_a_difference_is_relative_to_the_peers_largest_magnitude(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    monkeypatch: pytest.MonkeyPatch,
    offset: float,
    expected: float,
) -> None:
    model = random_model("efficientnet_b0")
    *_, ours = explain(model, image, [0], ["random(cells=7)"])
    theirs = ours.maps[0, 0].clone()
    theirs.view(-1)[theirs.argmin()] -= offset * theirs.max()
    peer = Peer(CAPTUM, "Attribution", lambda _: theirs, "cells=7")
    monkeypatch.setitem(PEERS, "random", (peer,))
    (found,) = differences(model, image, [0], methods=["random"])
    assert found.value == pytest.approx(expected, nan_ok=True)
    assert found.within == (offset == 0)


def test_a_difference_of_nothing_known_is_not_within_its_tolerance() -> None:
    assert not Difference("model", "grad_cam", CAPTUM, "LayerGradCam", torch.nan, 1.0).within
    assert not Difference("model", "grad_cam", CAPTUM, "LayerGradCam", 2.0, 1.0).within


def test_every_method_is_compared_or_a_reason_is_stated(root: Path) -> None:
    assert PEERS.keys() | NO_PEER.keys() == METHODS.keys()
    assert not PEERS.keys() & NO_PEER.keys()
    page = (root / "docs" / "peers.md").read_text(encoding="utf8")
    for method, peers in PEERS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{method}` |"))
        assert [peer.function for peer in peers if f"`{peer.function}`" not in row] == []
    for method, reason in NO_PEER.items():
        assert f"| `{method}` | {reason} |" in page


def test_both_libraries_are_installed_for_the_tests() -> None:
    assert installed(CAPTUM)
    assert installed(PYTORCH_GRAD_CAM)


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


@pytest.mark.slow
def test_trained_weights_agree_with_both_libraries_too() -> None:
    available = hub.available()
    if not available:
        pytest.skip("no trained model is shipped in assets/models yet")
    picture = np.random.default_rng(0).random((300, 300)) * np.linspace(0, 1, 300)
    methods = [*CAMS, "eigen_cam", "input_times_gradient", "integrated_gradients"]
    for model in map(hub.load, available.values()):
        # Smaller than the models' own images, so that it is fast.
        image = replace(model.spec.preprocessing, size=128)(picture)[None]
        found = list(differences(model, image, FINDINGS[:1], methods=methods))
        assert [each for each in found if not each.within] == []
