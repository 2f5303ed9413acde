"""RefineCAM against numbers worked out by hand, a slow derivation, and pytorch-grad-cam, which deviates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from cxrbench.explain import explain, feature_gradients
from cxrbench.explain.cam import grad_cam, hires_cam
from cxrbench.explain.refine_cam import refined
from cxrbench.models import Classifier


def final(model: Any, images: torch.Tensor, key: str, finding: int = 2) -> torch.Tensor:
    *_, last = explain(model, images, [finding], [key])
    return last.maps


def one_channel(values: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """A map of one channel with gradient 1, so that the map is the activation."""
    activations = torch.tensor(values)[None, None]
    return activations, torch.ones_like(activations)[:, None]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        # (1, .5, 0, .25) times (.5, 1, 1, 0)
        (([[4.0, 2], [-3, 1]], [[1.0, 2], [2, -9]]), [[0.5, 0.5], [0, 0]]),
        # One cell enlarged to four is the same everywhere: the finer map is left.
        (([[4.0, 2], [-3, 1]], [[7.0]]), [[1, 0.5], [0, 0.25]]),
        # A stage that is nowhere positive empties the product; two negatives do not make a positive.
        (([[4.0, 2], [-3, 1]], [[-7.0]]), [[0, 0], [0, 0]]),
        (([[-4.0, -2], [-3, -1]], [[-1.0, -2], [-2, -9]]), [[0, 0], [0, 0]]),
    ],
)
def test_the_map_is_the_product_worked_out_by_hand(
    stages: tuple[list[list[float]], ...], expected: list[list[float]]
) -> None:
    product = refined(hires_cam, [one_channel(values) for values in stages])
    torch.testing.assert_close(product[0, 0], torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_map_is_the_product_of_the_maps_of_the_last_stages(
    random_model: Callable[[str], Classifier], images: torch.Tensor, count: int
) -> None:
    model = random_model("resnet50")
    stages = model.stages[-count:]
    expected = np.ones((2, 24 // 2 ** (4 - count), 24 // 2 ** (4 - count)))
    for stage in stages:
        maps = grad_cam(*(each.squeeze(1) for each in feature_gradients(model, images, [2], stage)))
        for index, each in enumerate(maps):
            positive = np.maximum(each.numpy(), 0)
            large = bilinear(positive, expected.shape[1])
            expected[index] *= large / (large.max() or 1)
    ours = final(model, images, f"refine_cam(stages={count},base=grad_cam)")[:, 0]
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def bilinear(values: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a square map cell by cell; centres of cells keep their value, borders are extended."""
    ratio = len(values) / side
    places = np.clip((np.arange(side) + 0.5) * ratio - 0.5, 0, len(values) - 1)
    low = np.floor(places).astype(int)
    high, share = np.minimum(low + 1, len(values) - 1), places - low
    rows = values[low] * (1 - share)[:, None] + values[high] * share[:, None]
    large: np.ndarray = rows[:, low] * (1 - share) + rows[:, high] * share
    return large


def test_more_stages_than_the_network_has_are_all_of_them(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("resnet50")
    assert torch.equal(final(model, image, "refine_cam"), final(model, image, "refine_cam(stages=4)"))


def test_pytorch_grad_cam_normalises_nothing(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    """Its loop binds a name to the normalised map and drops it: two negative maps make a positive one."""
    from pytorch_grad_cam import RefineCAM

    model = random_model("resnet50")
    peer = RefineCAM(model, [model.backbone.get_submodule(stage) for stage in model.stages[-2:]])
    negative = np.array([[[-4.0, -2.0], [-3.0, -1.0]]], np.float32)
    peer.base_cam_per_layer = [lambda *arguments: negative, lambda *arguments: negative]
    theirs = peer(image, None)
    assert theirs[0, 0, 0] == pytest.approx(1, abs=1e-5)  # the most negative cell is the brightest
    pair = one_channel(negative[0].tolist())
    assert refined(hires_cam, [pair, pair]).abs().max() == 0


def test_where_its_maps_are_scaled_already_pytorch_grad_cam_multiplies_the_same_maps(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
) -> None:
    """Its CAMs scale each map from its smallest to its largest value at the size of the image.

    Where a map is somewhere not positive, its smallest value is 0, and that is what is done here. A map that
    is positive everywhere loses its smallest value there, and keeps it here.
    """
    from pytorch_grad_cam import GradCAM, RefineCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model, finding = random_model("resnet50"), 1
    stages = model.stages[-2:]
    peer = RefineCAM(model, [model.backbone.get_submodule(stage) for stage in stages], base_method=GradCAM)
    theirs = torch.as_tensor(peer(image.clone().requires_grad_(), [ClassifierOutputTarget(finding)]))
    for base in peer.base_cam_per_layer:
        base.activations_and_grads.release()
    product = torch.ones(())
    for stage in stages:
        activations, gradients = feature_gradients(model, image, [finding], stage)
        map_ = grad_cam(activations, gradients[:, 0])
        assert map_.min() < 0 < map_.max()
        large = torch.nn.functional.interpolate(map_.relu()[None], size=96, mode="bilinear")[0]
        product = product * large / large.max()
    assert product.max() > 0
    # A cell of value 0 between others is nowhere exactly 0 once it is enlarged; theirs subtracts that rest.
    assert relative(product / product.max(), theirs) <= 2e-3
