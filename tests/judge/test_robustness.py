"""Max-sensitivity: captum's with the same noise, and explainers whose sensitivity is known."""

import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max
from torch import Tensor

from cxrbench.judge import max_sensitivity

IMAGE = torch.rand(1, 6, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def squared(images: Tensor) -> Tensor:
    return images[:, 0] ** 2


def test_it_is_captums_for_the_same_noise() -> None:
    seen: list[Tensor] = []

    def recorded(images: Tensor) -> Tensor:
        seen.append(images)
        return squared(images)

    found = max_sensitivity(recorded, IMAGE, radius=0.1, samples=6, seed=4)
    noisy = torch.cat(seen[1:])
    assert (noisy - IMAGE).abs().max() <= 0.1

    def unpacked(images: Tensor | tuple[Tensor]) -> Tensor | tuple[Tensor]:
        return (squared(images[0]),) if isinstance(images, tuple) else squared(images)

    expected = sensitivity_max(unpacked, IMAGE[None], perturb_func=lambda _: noisy, n_perturb_samples=6)
    assert found == pytest.approx(expected.item())


def test_a_constant_explainer_is_perfectly_robust() -> None:
    assert max_sensitivity(lambda images: torch.ones(len(images), 3, 3), IMAGE) == 0


def test_a_zero_map_and_one_that_is_not_finite_are_undefined() -> None:
    assert np.isnan(max_sensitivity(lambda images: torch.zeros(len(images), 3, 3), IMAGE))
    assert np.isnan(max_sensitivity(lambda images: torch.where(images == IMAGE, 1.0, torch.nan), IMAGE))


def test_it_does_not_depend_on_the_scale_of_the_map_and_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    values = [max_sensitivity(squared, IMAGE), max_sensitivity(lambda images: 1e3 * squared(images), IMAGE)]
    assert values[0] == pytest.approx(values[1])
    assert torch.equal(state, torch.get_rng_state())
