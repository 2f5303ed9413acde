"""DeepLIFT: a case worked out by hand, captum, completeness, and networks where it is refused."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from captum.attr import DeepLift
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, baseline_images, explain
from cxrbench.explain.deep_lift import rescale_problem
from cxrbench.explain.peer_rules import OwnInput
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing


def plain(size: int) -> Preprocessing:
    return Preprocessing(size=size, mean=0.0, std=1.0)


def final(model: Any, images: torch.Tensor, key: str, *findings: int) -> Any:
    *_, last = explain(model, images, findings, [key])
    return last


def test_the_map_of_a_small_network_is_the_one_worked_out_by_hand(chain: Callable[..., Any]) -> None:
    layers = {"flat": nn.Flatten(), "a": nn.Linear(4, 1), "relu": nn.ReLU(), "b": nn.Linear(1, 1)}
    model = chain("flat", labels=1, preprocessing=plain(2), **layers)
    with torch.no_grad():
        model.chain["a"].weight.copy_(torch.tensor([[1.0, 2, 0, -1]]))
        model.chain["a"].bias.fill_(-1)
        model.chain["b"].weight.fill_(3)
    # The sum is −1 at black and 2 here, so the ReLU rises by 2 of 3; its gradient is 1, and 0 at black.
    last = final(model, torch.tensor([[[[2.0, 1], [1, 1]]]]), "deep_lift", 0)
    assert last.maps[0, 0].tolist() == [pytest.approx([4, 4]), pytest.approx([0, -2])]
    assert abs(last.completeness.item()) < 1e-6


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks", "ignore:Input Tensor 0 did not")
def test_captum_loses_the_rule_of_a_pool_that_follows_a_relu(chain: Callable[..., Any]) -> None:
    """The pool's hook on its input and the ReLU's hook on its output hang on one tensor, and the ReLU's runs
    first: it is given the pool's ordinary gradient. A tensor between them gives captum our map."""
    shift = nn.Linear(4, 4)
    with torch.no_grad():
        shift.weight.copy_(torch.eye(4))
        shift.bias.copy_(torch.tensor([0.0, 2, 0, 0]))
    layers = {"flat": nn.Flatten(), "shift": shift, "square": nn.Unflatten(1, (1, 2, 2)), "relu": nn.ReLU()}
    layers |= {"own": nn.Identity(), "pool": nn.MaxPool2d(2), "last": nn.Flatten()}
    model = chain("relu", labels=1, preprocessing=plain(2), **layers)
    image = torch.tensor([[[[3.0, -1], [0, 0]]]])
    # The maximum is 2, in the second place, at black, and 3, in the first, here: it rises by 1.
    assert model(image).item() - model(torch.zeros_like(image)).item() == 1
    assert final(model, image, "deep_lift", 0).maps.flatten().tolist() == pytest.approx([1, 0, 0, 0])
    theirs = DeepLift(deepcopy(model)).attribute(image, torch.zeros_like(image), target=0)
    assert theirs.flatten().tolist() == pytest.approx([3, 0, 0, 0])  # the gradient of the maximum
    model.chain["own"] = OwnInput()
    mended = DeepLift(deepcopy(model)).attribute(image, torch.zeros_like(image), target=0)
    assert mended.flatten().tolist() == pytest.approx([1, 0, 0, 0])


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks", "ignore:Input Tensor 0 did not")
@pytest.mark.parametrize("middle", ["relus", "pool"])
def test_it_is_captums_where_captums_own_map_is_complete(chain: Callable[..., Any], middle: str) -> None:
    """Where a ReLU and a pool follow each other it is not: see the test above."""
    torch.manual_seed(2)
    inner: dict[str, nn.Module] = {"pool": nn.MaxPool2d(2), "flat": nn.Flatten(), "fc": nn.Linear(64, 3)}
    if middle == "relus":
        more = {"norm": nn.BatchNorm2d(4), "relu": nn.ReLU(), "more": nn.Conv2d(4, 4, 3), "again": nn.ReLU()}
        inner = {**more, "flat": nn.Flatten(), "fc": nn.Linear(144, 3)}
    layers = {"conv": nn.Conv2d(1, 4, 3, padding=1), **inner}
    model = chain("conv", labels=3, preprocessing=plain(8), **layers).double()
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    # Of a black image all values of a window are equal, and any of them may be called its maximum.
    start = baseline_images(model, images, "blur")
    last = final(model, images, "deep_lift(baseline=blur)", 0, 2)
    for place, finding in enumerate((0, 2)):
        theirs = DeepLift(deepcopy(model)).attribute(images, start, target=finding)
        torch.testing.assert_close(last.maps[:, place], theirs[:, 0].detach(), rtol=1e-9, atol=1e-12)
    assert last.completeness.abs().max() < 1e-9


@pytest.mark.parametrize("architecture", ["resnet50", "densenet121"])
def test_the_map_of_a_backbone_sums_to_the_change_of_the_logit(
    random_model: Callable[[str], Classifier], images: torch.Tensor, architecture: str
) -> None:
    """Their first pool's windows overlap."""
    model = deepcopy(random_model(architecture)).double()
    last = final(model, images.double(), "deep_lift", 1, 9)
    assert last.completeness.abs().max() < 1e-6
    assert not any(type(module).__name__.startswith("_Rescaled") for module in model.modules())


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks", "ignore:Input Tensor 0 did not")
def test_captum_loses_a_part_where_windows_overlap_and_the_rest_is_the_same(
    chain: Callable[..., Any],
) -> None:
    torch.manual_seed(2)
    layers = {
        "pool": nn.MaxPool2d(3, stride=2, padding=1),
        "flat": nn.Flatten(),
        "fc": nn.Linear(16, 1),
    }
    model = chain("pool", labels=1, preprocessing=plain(8), **layers).double()
    image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    last = final(model, image, "deep_lift", 0)
    assert abs(last.completeness.item()) < 1e-9
    _, delta = DeepLift(deepcopy(model)).attribute(
        image, torch.zeros_like(image), target=0, return_convergence_delta=True
    )
    assert abs(delta.item()) > 1e-3


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "swin_tiny", "vit_tiny", "inception_v3"])
def test_it_is_refused_where_the_rule_does_not_cover_the_network(
    random_model: Callable[[str], Classifier], image: torch.Tensor, architecture: str
) -> None:
    model = random_model(architecture)
    assert METHODS["deep_lift"].supports(model) == rescale_problem(model) is not None
    with pytest.raises(InputError, match="DeepLIFT does not apply here: its rule covers linear"):
        explain(model, image, [0], ["deep_lift"])


def test_a_product_of_activations_is_found(chain: Callable[..., Any]) -> None:
    class Gate(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return values * values.sigmoid()

    problem = rescale_problem(
        chain("flat", preprocessing=plain(2), flat=nn.Flatten(), gate=Gate(), fc=nn.Linear(4, 2))
    )
    assert problem is not None
    assert problem.endswith("this network also computes mul, sigmoid")


def test_findings_and_images_have_the_maps_that_they_have_alone(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    model = random_model("resnet50")
    together = final(model, images, "deep_lift", 0, 7).maps
    for place, finding in enumerate((0, 7)):
        assert torch.equal(final(model, images, "deep_lift", finding).maps[:, 0], together[:, place])
    second = final(model, images[1:], "deep_lift", 0, 7).maps
    torch.testing.assert_close(second[0], together[1], rtol=1e-3, atol=1e-3 * float(second.abs().max()))
