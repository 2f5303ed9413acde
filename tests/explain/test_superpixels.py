"""LIME and KernelSHAP: captum, scikit-learn, exact Shapley values, and linear models."""

import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import KernelShap, Lime
from sklearn.linear_model import Ridge
from torch import nn

from cxrbench.explain import explain
from cxrbench.explain.superpixels import coalitions, segmented
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=8, mean=0.0, std=1.0)


def final(model: Any, images: torch.Tensor, key: str, *findings: int) -> Any:
    *_, last = explain(model, images, findings, [key])
    assert last.progress == 1
    return last


@pytest.fixture
def quarters() -> torch.Tensor:
    """Four flat squares, nearly the superpixels: (1, 1, 8, 8)."""
    return torch.tensor([[0.2, 0.5], [0.75, 1.0]]).repeat_interleave(4, 0).repeat_interleave(4, 1)[None, None]


@pytest.fixture
def curved(chain: Callable[..., Any]) -> Any:
    torch.manual_seed(1)
    layers = {"flat": nn.Flatten(), "a": nn.Linear(64, 16), "act": nn.GELU(), "b": nn.Linear(16, 3)}
    return chain("flat", labels=3, preprocessing=PLAIN, **layers)


@pytest.fixture
def linear(chain: Callable[..., Any]) -> Any:
    return chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(64, 2))


def per_superpixel(values: torch.Tensor, regions: torch.Tensor) -> list[float]:
    return [float(values[regions == number].sum()) for number in range(int(regions.max()) + 1)]


def test_superpixels_are_those_of_the_image_and_cover_it(quarters: torch.Tensor) -> None:
    larger = quarters[0].repeat_interleave(4, 1).repeat_interleave(4, 2)
    regions = segmented(larger, 4)
    assert regions.unique().tolist() == [0, 1, 2, 3]
    for number in range(4):
        values = larger[0][regions == number]
        assert (values == values.median()).double().mean() > 0.95  # but for pixels at the edge
    noise = torch.rand(1, 40, 60, generator=torch.Generator().manual_seed(0))
    assert torch.equal(segmented(noise, 20), segmented(noise, 20))
    assert 10 <= int(segmented(noise, 20).max()) + 1 <= 40


def test_kernel_shap_gives_the_exact_shapley_values_of_four_superpixels(
    curved: Any, quarters: torch.Tensor
) -> None:
    regions = segmented(quarters[0], 4)

    def value(visible: tuple[int, ...]) -> float:
        mask = torch.isin(regions, torch.tensor(visible, dtype=torch.long))
        return float(curved(quarters * mask)[0, 1].detach())

    expected = []
    for player in range(4):
        others = [number for number in range(4) if number != player]
        sets = [each for size in range(4) for each in itertools.combinations(others, size)]
        expected.append(
            sum(
                math.factorial(len(each))
                * math.factorial(3 - len(each))
                / 24
                * (value((*each, player)) - value(each))
                for each in sets
            )
        )
    last = final(curved, quarters, "kernel_shap(segments=4)", 1)
    assert per_superpixel(last.maps[0, 0], regions) == pytest.approx(expected, abs=1e-5)
    assert abs(last.completeness.item()) < 1e-4


def test_sampled_shapley_values_come_close_to_the_exact_ones_and_sum_exactly(curved: Any) -> None:
    image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    exact = final(curved, image, "kernel_shap(segments=8,samples=20000)", 0, 2)
    sampled = final(curved, image, "kernel_shap(segments=8,samples=150)", 0, 2)
    assert sampled.completeness.abs().max() < 1e-4
    assert (sampled.maps - exact.maps).abs().max() < 0.1 * exact.maps.abs().max()


def test_captums_kernel_shap_converges_to_the_same_values(curved: Any, quarters: torch.Tensor) -> None:
    regions = segmented(quarters[0], 4)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - captum's own generator
    theirs = KernelShap(curved).attribute(
        quarters, target=1, feature_mask=regions[None, None], n_samples=2000, perturbations_per_eval=100
    )
    expected = [float(theirs[0, 0][regions == number][0]) for number in range(4)]
    last = final(curved, quarters, "kernel_shap(segments=4)", 1)
    assert per_superpixel(last.maps[0, 0], regions) == pytest.approx(expected, rel=0.1, abs=0.01)


def test_lime_is_scikit_learns_weighted_ridge_regression(curved: Any, quarters: torch.Tensor) -> None:
    regions = segmented(quarters[0], 4)
    visible = torch.rand(60, 4, generator=torch.Generator().manual_seed(5)) < 0.5
    visible[0] = True
    logits = curved(quarters * visible[:, regions][:, None]).detach().double()[:, 2]
    weights = np.sqrt(np.exp(-(((1 - np.sqrt(visible.double().mean(1).numpy())) / 0.4) ** 2)))
    ridge = Ridge(alpha=0.7).fit(visible.double().numpy(), logits.numpy(), sample_weight=weights)
    last = final(curved, quarters, "lime(segments=4,samples=60,width=0.4,penalty=0.7,seed=5)", 2)
    assert per_superpixel(last.maps[0, 0], regions) == pytest.approx(ridge.coef_.tolist(), abs=1e-5)


def test_lime_is_captums_from_the_same_samples(curved: Any, quarters: torch.Tensor) -> None:
    regions = segmented(quarters[0], 4)
    visible = (torch.rand(40, 4, generator=torch.Generator().manual_seed(0)) < 0.5).long()
    visible[0] = 1
    rows = iter(visible)

    def similarity(_: Any, __: Any, row: torch.Tensor, **___: Any) -> torch.Tensor:
        distance = 1 - (row.double().sum() / 4).sqrt()
        return torch.exp(-((distance / 0.25) ** 2)).sqrt()

    from captum._utils.models.linear_model import SkLearnRidge

    peer = Lime(
        curved,
        interpretable_model=SkLearnRidge(alpha=1.0),
        similarity_func=similarity,
        perturb_func=lambda *_, **__: next(rows)[None],
    )
    theirs = peer.attribute(quarters, target=1, feature_mask=regions[None, None], n_samples=40)
    expected = [float(theirs[0, 0][regions == number][0]) for number in range(4)]
    last = final(curved, quarters, "lime(segments=4,samples=40)", 1)
    assert per_superpixel(last.maps[0, 0], regions) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("key", ["lime(segments=4,penalty=0)", "kernel_shap(segments=4,samples=12)"])
def test_both_are_exact_on_a_linear_model(linear: Any, quarters: torch.Tensor, key: str) -> None:
    regions = segmented(quarters[0], 4)
    weight = linear.chain["fc"].weight[1].detach().view(8, 8)
    expected = per_superpixel(weight * quarters[0, 0], regions)
    assert per_superpixel(final(linear, quarters, key, 1).maps[0, 0], regions) == pytest.approx(
        expected, abs=1e-5
    )


def test_coalitions_come_with_their_complements_or_are_all_of_them() -> None:
    rows, weights = coalitions(30, 10, torch.Generator().manual_seed(0))
    assert rows.shape == (10, 30)
    assert torch.equal(rows[::2] + rows[1::2], torch.ones(5, 30).double())
    assert torch.equal(weights, torch.ones(10).double())
    rows, weights = coalitions(3, 6, torch.Generator())
    assert sorted(map(tuple, rows.int().tolist())) == sorted(
        row for row in itertools.product((0, 1), repeat=3) if 0 < sum(row) < 3
    )
    assert weights.tolist() == pytest.approx([1 / 3] * 6)  # (M − 1) / (C(M, k) k (M − k))


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_an_image_of_one_superpixel_has_a_map(linear: Any, name: str) -> None:
    last = final(linear, torch.full((1, 1, 8, 8), 0.5), f"{name}(segments=2,samples=4)", 0)
    assert torch.isfinite(last.maps).all()


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_findings_images_and_threads_have_the_maps_that_they_have_alone(
    random_model: Callable[[str], Classifier], images: torch.Tensor, name: str
) -> None:
    model, key = random_model("efficientnet_b0"), f"{name}(samples=20,segments=9)"
    state = torch.get_rng_state()
    together = final(model, images, key, 0, 7).maps
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda finding: final(model, images, key, finding).maps, (0, 7, 0, 7)))
    for place in range(4):
        assert torch.equal(alone[place][:, 0], together[:, place % 2])
    second = final(model, images[1:], key, 0, 7).maps
    torch.testing.assert_close(second[0], together[1], rtol=1e-3, atol=1e-3 * float(second.abs().max()))
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(final(model, images, f"{name}(samples=20,segments=9,seed=1)", 0, 7).maps, together)
