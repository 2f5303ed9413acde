"""Guided backpropagation: a case worked out by hand, captum, and networks where it is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
import torch
import torchvision
from captum.attr import GuidedBackprop, GuidedGradCam
from torch import nn
from torch.nn import functional as F

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, explain
from cxrbench.explain.guided import GuidedReLU
from cxrbench.explain.private_copy import private_copy, rectifier_problem, replace_modules
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=2, mean=0.0, std=1.0)


def final(model: Any, images: torch.Tensor, key: str, *findings: int) -> torch.Tensor:
    *_, last = explain(model, images, findings, [key])
    return last.maps


@pytest.fixture
def two_layers(chain: Callable[..., Any]) -> Any:
    layers = {
        "flat": nn.Flatten(),
        "a": nn.Linear(4, 2, bias=False),
        "relu": nn.ReLU(inplace=True),
        "b": nn.Linear(2, 2, bias=False),
        "again": nn.ReLU(),
        "c": nn.Linear(2, 1, bias=False),
    }
    model = chain("flat", labels=1, preprocessing=PLAIN, **layers)
    with torch.no_grad():
        model.chain["a"].weight.copy_(torch.tensor([[1.0, 2, 0, -1], [0, 1, 1, 0]]))
        model.chain["b"].weight.copy_(torch.tensor([[1.0, -1], [2, 1]]))
        model.chain["c"].weight.copy_(torch.tensor([[3.0, 1]]))
    return model


def test_the_map_of_two_layers_is_the_one_worked_out_by_hand(two_layers: Any) -> None:
    # a = (2, 2), b = (0, 6): the first unit of the second layer is off, so the gradient at a is (2, 1);
    # plain and guided gradients are 2·(1, 2, 0, −1) + 1·(0, 1, 1, 0).
    maps = final(two_layers, torch.tensor([[[[1.0, 1], [1, 1]]]]), "guided_backprop", 0)
    assert maps[0, 0].tolist() == [[2, 5], [1, -2]]
    # a = (3, 1), b = (2, 7): the gradient at a is 3·(1, −1) + (2, 1) = (5, −2), of which (5, 0) passes.
    maps = final(two_layers, torch.tensor([[[[2.0, 1], [0, 1]]]]), "guided_backprop", 0)
    assert maps[0, 0].tolist() == [[5, 10], [0, -5]]


def test_the_original_keeps_its_modules_and_shares_its_weights(two_layers: Any) -> None:
    copied = private_copy(two_layers)
    assert replace_modules(copied, nn.ReLU, lambda _: nn.Identity()) == 2
    assert isinstance(two_layers.chain["relu"], nn.ReLU)
    assert copied.get_parameter("chain.a.weight") is two_layers.get_parameter("chain.a.weight")


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize("architecture", ["resnet50", "densenet121", "inception_v3"])
def test_it_is_captums_where_every_relu_is_a_module(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    model = deepcopy(random_model(architecture)).double()
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # captum's hooks need the input
    maps = final(model, image.double(), "guided_backprop", 1, 9)
    peer = deepcopy(model)
    for place, finding in enumerate((1, 9)):
        theirs = GuidedBackprop(peer).attribute(image.double().requires_grad_(), target=finding)
        assert relative(maps[:, place], theirs.sum(1).detach()) < 1e-9
    plain = final(model, image.double(), "saliency", 1)
    assert relative(maps[:, :1].abs(), plain) > 0.1  # the peers' fault: a plain gradient, silently


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_guided_grad_cam_is_captums_up_to_the_scale_of_grad_cam(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
) -> None:
    model = deepcopy(random_model("resnet50")).double()
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    maps = final(model, image.double(), "guided_grad_cam(stage=1)", 4)
    peer = deepcopy(model)
    theirs = GuidedGradCam(peer, peer.backbone.get_submodule(model.stages[-2]))
    expected = theirs.attribute(image.double().requires_grad_(), target=4, interpolate_mode="bilinear")
    expected = expected.sum(1, keepdim=True).detach()
    assert relative(maps / maps.abs().max(), expected / expected.abs().max()) < 1e-6


@pytest.mark.parametrize(
    ("architecture", "activation"), [("efficientnet_b0", "SiLU"), ("swin_tiny", "GELU"), ("vit_tiny", "GELU")]
)
@pytest.mark.parametrize("name", ["guided_backprop", "guided_grad_cam"])
def test_it_is_refused_where_the_activations_are_no_relus(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    name: str,
    architecture: str,
    activation: str,
) -> None:
    model = random_model(architecture)
    problem = METHODS[name].supports(model)
    assert problem is not None
    assert activation in problem
    with pytest.raises(InputError, match=f"{METHODS[name].title} does not apply here: .*{activation}"):
        explain(model, image, [0], [name])


class Functional(nn.Module):
    def __init__(self, rectify: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.rectify = rectify

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.rectify(values)


@pytest.mark.parametrize(
    "rectify",
    [F.relu, torch.relu_, lambda values: values.clamp(0), lambda values: values.clamp(min=0)],
    ids=["relu", "in place", "clamp", "named"],
)
def test_a_single_functional_relu_is_found(
    chain: Callable[..., Any], rectify: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    layers = {"flat": nn.Flatten(), "relu": nn.ReLU(), "more": Functional(rectify), "fc": nn.Linear(4, 2)}
    problem = rectifier_problem(chain("flat", preprocessing=PLAIN, **layers))
    assert problem is not None
    assert problem.startswith("1 of this network's 2 ReLUs are function calls")


def test_torchvisions_inception_is_refused_and_a_linear_network_has_no_relu(
    chain: Callable[..., Any],
) -> None:
    block = torchvision.models.inception.BasicConv2d(1, 2, kernel_size=1)
    layers = {"block": block, "flat": nn.Flatten(), "fc": nn.Linear(8, 2)}
    problem = rectifier_problem(chain("block", preprocessing=PLAIN, **layers))
    assert problem is not None
    assert "1 of this network's 1 ReLUs are function calls" in problem
    linear = chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(4, 2))
    assert rectifier_problem(linear) == "it changes the gradient of ReLU, and this network has none"


@pytest.mark.parametrize("name", ["guided_backprop", "guided_grad_cam"])
def test_findings_images_and_threads_have_the_maps_that_they_have_alone(
    random_model: Callable[[str], Classifier], images: torch.Tensor, name: str
) -> None:
    model = random_model("resnet50")
    together = final(model, images, name, 0, 7)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda finding: final(model, images, name, finding), (0, 7, 0, 7)))
    for place in range(4):
        assert torch.equal(alone[place][:, 0], together[:, place % 2])
    first = final(model, images[:1], name, 0, 7)
    torch.testing.assert_close(first[0], together[0], rtol=1e-3, atol=1e-3 * float(first.abs().max()))
    assert all(type(module) is not GuidedReLU for module in model.modules())
