"""Controls: they look at the image or at nothing, never at the model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from cxrbench.explain import METHODS, explain
from cxrbench.models import Classifier

CONTROLS = [name for name, record in METHODS.items() if record.family == "control"]


def final(model: Any, images: torch.Tensor, key: str, findings: Sequence[int] = (0,)) -> torch.Tensor:
    *_, last = explain(model, images, findings, [key])
    return last.maps


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_the_same_for_every_model(
    random_model: Callable[[str], Classifier], image: torch.Tensor, name: str
) -> None:
    one, other = (final(random_model(each), image, name) for each in ("efficientnet_b0", "vit_tiny"))
    assert torch.equal(one, other)


def test_edges_are_the_magnitude_of_scipys_sobel(
    random_model: Callable[[str], Classifier], images: torch.Tensor
) -> None:
    maps = final(random_model("efficientnet_b0"), images, "edges")
    for ours, picture in zip(maps[:, 0], images[:, 0].double().numpy(), strict=True):
        expected = np.hypot(*(ndimage.sobel(picture, axis=axis, mode="nearest") for axis in (0, 1)))
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_the_gaussian_is_largest_in_the_centre_and_symmetric(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    maps = final(random_model("efficientnet_b0"), image, "centred_gaussian(width=0.1)")[0, 0]
    torch.testing.assert_close(maps, maps.flip(0))
    torch.testing.assert_close(maps, maps.T)
    assert maps.argmax() in (47 * 96 + 47, 47 * 96 + 48, 48 * 96 + 47, 48 * 96 + 48)
    # A tenth of the side away from the centre it has fallen to exp(−1/2).
    assert maps[48, 57].item() == pytest.approx(np.exp(-0.5 * (9.5**2 + 0.5**2) / 9.6**2), rel=1e-4)


def test_random_maps_differ_between_findings_and_seeds(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    maps = final(model, image, "random", (0, 1))
    assert maps.shape == (1, 2, 7, 7)
    assert not torch.equal(maps[:, 0], maps[:, 1])
    assert not torch.equal(maps, final(model, image, "random(seed=1)", (0, 1)))
