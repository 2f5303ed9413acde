"""Sanity: what is randomised, in which order, and how similar maps are."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.metrics import structural_similarity as reference_ssim
from torch import nn

from cxrbench.explain import explain
from cxrbench.judge import cascade, finding_swap, spearman, structural_similarity
from cxrbench.models import create
from cxrbench.preprocess import Preprocessing

RANDOM = np.random.default_rng(6)


class ThreeLayers(nn.Module):
    """Layers whose order of definition is not that of execution, and a parameter of no layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(4, 2)
        self.second = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        self.first = nn.Linear(4, 4)
        self.offset = nn.Parameter(torch.randn(4))
        self.eval()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        head: torch.Tensor = self.head(self.second(self.first(values + self.offset)))
        return head


def parameters(model: nn.Module) -> np.ndarray:
    """All parameters as if they were a map (1, n)."""
    return torch.cat([each.detach().ravel() for each in model.parameters()]).numpy()[None].copy()


def test_layers_are_randomised_in_the_reverse_order_of_their_execution() -> None:
    model = ThreeLayers()
    before = parameters(model)
    result = cascade(model, parameters, torch.randn(1, 4), groups=["second"])
    assert result.groups == ("head", "second", "first", "")
    names = [name.split(".")[0] for name, each in model.named_parameters() for _ in range(each.numel())]
    for stage, changed in enumerate(result.maps):
        different = {name for name, same in zip(names, (changed == before)[0], strict=True) if not same}
        order = ["head", "second", "first", "offset"]
        assert different == set(order[: stage + 1])
    assert np.array_equal(parameters(model), before), "the model itself was changed"
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_the_unrandomised_model_is_not_among_the_stages() -> None:
    result = cascade(ThreeLayers(), parameters, torch.randn(1, 4), groups=["second"])
    assert len(result.groups) == len(result.maps) == len(result.spearman) == 4
    assert (result.spearman < 1).all()


def test_random_parameters_have_the_mean_and_spread_of_those_that_they_replace() -> None:
    model = nn.Linear(300, 300).eval()
    with torch.no_grad():  # the seed of the cascade itself, which must not draw the same numbers again
        model.weight.normal_(3, 0.5, generator=torch.Generator().manual_seed(0))
    result = cascade(model, lambda each: next(each.parameters()).detach().numpy().copy(), torch.randn(1, 300))
    assert result.maps[0].mean() == pytest.approx(3, abs=0.01)
    assert result.maps[0].std() == pytest.approx(0.5, rel=0.02)
    assert abs(result.spearman[0]) < 0.02


def test_a_classifier_is_randomised_step_by_step_from_its_head() -> None:
    model = create("efficientnet_b0", ("A", "B"), preprocessing=Preprocessing(size=64), seed=1)
    images = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))

    def maps(classifier: Any) -> np.ndarray:
        *_, last = explain(classifier, images, [0, 1], ["hires_cam(stage=1)"])
        return last.maps.numpy()

    state = torch.get_rng_state()
    result = cascade(model, maps, images)
    assert torch.equal(state, torch.get_rng_state())
    assert result.groups[:3] == ("backbone.classifier", "backbone.bn2", "backbone.conv_head")
    assert result.groups[-1] == "backbone.conv_stem"
    assert len(result.groups) == 12
    assert result.spearman.shape == result.ssim.shape == (12, 1, 2)
    assert result.maps.shape[:3] == (12, 1, 2)
    assert np.isfinite(result.spearman).all()


def test_rank_correlation_is_scipys() -> None:
    first, second = RANDOM.integers(0, 5, (2, 6, 7)).astype(float)
    expected = stats.spearmanr(first.ravel(), second.ravel()).statistic
    assert spearman(first, second) == pytest.approx(expected)
    assert np.isnan(spearman(first, np.ones((6, 7))))


@pytest.mark.parametrize("shape", [(7, 7), (30, 22)])
def test_structural_similarity_is_scikit_images(shape: tuple[int, int]) -> None:
    first, second = RANDOM.standard_normal((2, *shape))
    pictures = [(each / np.abs(each).max() + 1) / 2 for each in (first, second)]
    assert structural_similarity(first, second) == pytest.approx(reference_ssim(*pictures, data_range=1))
    assert structural_similarity(first, 5 * first) == pytest.approx(1)
    assert structural_similarity(first, -first) < -0.5


def test_similarity_of_small_and_zero_maps() -> None:
    small = RANDOM.standard_normal((4, 5))
    assert structural_similarity(small, small) == pytest.approx(1)
    assert structural_similarity(np.ones((1, 1)), np.ones((1, 1))) == pytest.approx(1)
    assert np.isnan(structural_similarity(small, np.zeros((4, 5))))


def test_a_finding_swap_is_the_mean_correlation_with_the_other_findings() -> None:
    own = RANDOM.standard_normal((5, 5))
    assert finding_swap(own, np.stack([own, -own, 2 * own])) == pytest.approx(1 / 3)
    assert finding_swap(own, np.stack([own, np.zeros((5, 5))])) == pytest.approx(1)
    assert np.isnan(finding_swap(own, np.zeros((0, 5, 5))))


def test_one_seed_gives_one_cascade() -> None:
    model, example = ThreeLayers(), torch.randn(1, 4)
    first, second, third = (cascade(model, parameters, example, seed=seed).maps for seed in (0, 0, 1))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
