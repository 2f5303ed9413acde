"""Finer-CAM against its definition, numbers worked out by hand, and pytorch-grad-cam."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, Explanation, configured_method, explain, feature_gradients
from cxrbench.explain.cam import grad_cam
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.explain.finer_cam import closest_findings
from cxrbench.labels import CHEXPERT, finding_slug
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

A = torch.tensor([[[[1.0, 2], [3, 4]], [[2, 1], [1, 3]], [[2, 1], [0, 0.5]]]])
G = torch.tensor([[[1.0, 0], [0, 1]], [[-1, 1], [0.5, -0.25]], [[0.5, -0.5], [0.25, 2]]])


def final(model: Any, images: torch.Tensor, key: str, findings: Sequence[int]) -> Explanation:
    *_, last = explain(model, images, findings, [key])
    return last


@pytest.fixture
def linear(chain: Callable[..., Any]) -> Any:
    """Three findings whose gradients are G, G without its first channel, and −G."""
    layers = {"keep": nn.Identity(), "flat": nn.Flatten(), "fc": nn.Linear(12, 3, bias=False)}
    model = chain("keep", labels=3, preprocessing=Preprocessing(size=4), **layers)
    second = G * torch.tensor([0.0, 1, 1])[:, None, None]
    with torch.no_grad():
        model.chain["fc"].weight.copy_(torch.stack([G.flatten(), second.flatten(), -G.flatten()]))
    return model


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # The first channel alone is left: its mean gradient is 1/2.
        ("finer_cam(other=finding_1)", [[0.5, 1], [1.5, 2]]),
        ("finer_cam", [[0.5, 1], [1.5, 2]]),  # the second finding is the closest: cosine .82, and −1
        # Grad-CAM is [[1.75, 1.625], [1.5625, 2.46875]]; that of −G is its negative.
        ("finer_cam(other=finding_2,strength=0.5)", [[2.625, 2.4375], [2.34375, 3.703125]]),
        ("finer_cam(strength=0)", [[1.75, 1.625], [1.5625, 2.46875]]),
        ("finer_cam(other=finding_0)", [[0, 0], [0, 0]]),  # nothing distinguishes a finding from itself
    ],
)
def test_the_map_is_the_one_worked_out_by_hand(linear: Any, key: str, expected: list[list[float]]) -> None:
    result = final(linear, A, key, [0])
    torch.testing.assert_close(result.maps[0, 0], torch.tensor(expected, dtype=torch.float32))
    assert result.stable.all()


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "swin_tiny", "vit_tiny"])
def test_the_map_is_grad_cam_of_one_finding_less_that_of_the_other_at_every_stage(
    random_model: Callable[[str], Classifier],
    images: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    architecture: str,
) -> None:
    model = random_model(architecture)
    edema = CHEXPERT.index("Edema")
    for stage in range(len(model.stages)):
        key = f"finer_cam(stage={stage},other=edema,strength=0.6)"
        grad = final(model, images, f"grad_cam(stage={stage})", [2, 9, edema]).maps
        expected = grad[:, :2] - 0.6 * grad[:, 2:]
        assert relative(final(model, images, key, [2, 9]).maps, expected) <= 1e-4


def test_the_gradient_is_that_of_the_difference_of_the_logits(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
) -> None:
    model = random_model("efficientnet_b0")
    features = model.trunk(image, model.stages[-2])
    leaf = features.value.detach().requires_grad_()
    logits = model.head(type(features)(leaf, features.rest, features.stage, features.grid))
    (gradient,) = torch.autograd.grad(logits[0, 2] - 0.7 * logits[0, 5], leaf)
    ours = final(model, image, "finer_cam(stage=1,other=edema,strength=0.7)", [2]).maps[:, 0]
    assert relative(ours, grad_cam(leaf.detach(), gradient)) <= 1e-5


def test_one_finding_to_compare_with_is_finer_cam_of_pytorch_grad_cam(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
) -> None:
    from pytorch_grad_cam import FinerCAM
    from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget

    model = random_model("efficientnet_b0")
    layer = model.backbone.get_submodule(model.stages[-2])
    # With one class to compare with, its softmax weight cancels.
    with FinerCAM(model, [layer]) as peer:
        peer(image.clone().requires_grad_(), [FinerWeightedTarget(2, [5], 0.7)])
        kept = peer.base_cam.activations_and_grads
        activations, gradients = kept.activations[0].numpy(), kept.gradients[0].numpy()
        theirs = peer.base_cam.get_cam_image(image, layer, None, activations, gradients, eigen_smooth=False)
    ours = final(model, image, "finer_cam(stage=1,other=edema,strength=0.7)", [2]).maps[:, 0]
    assert relative(ours, theirs) <= 1e-5


def test_the_closest_finding_has_the_most_similar_weights() -> None:
    labels = ("A", "", "B", "C")
    model: Any = create("efficientnet_b0", labels, preprocessing=Preprocessing(size=32))
    rows = torch.zeros(4, 1280)
    rows[0, :2] = torch.tensor([1.0, 0.0])
    rows[1, :2] = torch.tensor([1.0, 0.1])  # most alike, but an untrained output
    rows[2, :2] = torch.tensor([1.0, 1.0]) * 50  # the length does not matter
    rows[3, :2] = torch.tensor([-1.0, 2.0])
    with torch.no_grad():
        model.backbone.classifier.weight.copy_(rows)
    assert closest_findings(model) == [2, 0, 0, 2]


def test_findings_that_the_call_does_not_explain_can_be_compared_with(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    together = final(model, image, "finer_cam(other=edema)", [2, 5, 9]).maps
    alone = final(model, image, "finer_cam(other=edema)", [9]).maps
    assert torch.equal(together[:, 2], alone[:, 0])
    activations, gradients = feature_gradients(fast_copy(model, image.shape[1:]), image, [9, 5])
    expected = grad_cam(activations, gradients[:, 0] - gradients[:, 1])
    assert torch.equal(alone[:, 0], expected)


@pytest.mark.parametrize(
    "key",
    [
        "finer_cam(other=Pleural Effusion)",
        "finer_cam( other = pleural_effusion )",
        "finer_cam(other=effusion)",
        "finer_cam(other=PLEURAL  EFFUSION)",
    ],
)
def test_the_other_finding_may_be_written_in_any_known_spelling(key: str) -> None:
    configured = configured_method(key)
    assert configured.key == "finer_cam(other=pleural_effusion)"
    assert configured.title == "Finer-CAM (other pleural effusion)"
    assert finding_slug("Pleural Effusion") == configured.parameters.other


def test_a_finding_that_the_model_lacks_is_refused(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    with pytest.raises(InputError, match="other is hernia, and efficientnet_b0 has no such finding"):
        next(explain(model, image, [0], ["finer_cam(other=Hernia)"]))
    with pytest.raises(InputError, match="Unknown other '-'; choose from: closest"):
        configured_method("finer_cam(other=-)")


def test_a_model_of_one_finding_has_nothing_to_compare(chain: Callable[..., Any]) -> None:
    model = create("efficientnet_b0", ("Edema",), preprocessing=Preprocessing(size=32))
    assert "predicts one finding" in str(METHODS["finer_cam"].supports(model))
    no_weights = chain("keep", labels=2, keep=nn.Identity(), flat=nn.Flatten())
    assert "is not linear" in str(METHODS["finer_cam"].supports(no_weights))
