"""Faithfulness: curves that can be checked by hand, and captum's infidelity."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.metrics import infidelity as captum_infidelity
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge import (
    deletion,
    drop_and_increase,
    faithfulness_correlation,
    infidelity,
    insertion,
    replacement_curve,
    score_drops,
    square_masks,
    standard_squares,
)
from cxrbench.judge.faithfulness import probability_score

SQUARE = torch.tensor([[[0.4, 0.3], [0.2, 0.1]]], dtype=torch.float64)
FIVE = torch.tensor([[[0.3, 0.25, 0.2, 0.15, 0.1]]], dtype=torch.float64)


def total(images: Tensor) -> Tensor:
    return images.sum((1, 2, 3))


def nothing(image: Tensor) -> Tensor:
    return torch.zeros_like(image)


def counting(seen: list[int]) -> Callable[[Tensor], Tensor]:
    """The sum of an image, recording how many images it was asked for."""

    def score(images: Tensor) -> Tensor:
        seen.append(len(images))
        return total(images)

    return score


def test_deletion_and_insertion_of_a_sum_are_those_of_the_hand_case() -> None:
    relevance = SQUARE[0].numpy()
    deleted = deletion(SQUARE, nothing(SQUARE), relevance, total, steps=2)
    np.testing.assert_allclose(deleted.values, [1, 0.3, 0], atol=1e-12)
    assert deleted.area == pytest.approx(0.4)
    inserted = insertion(SQUARE, nothing(SQUARE), relevance, total, steps=2)
    np.testing.assert_allclose(inserted.values, [0, 0.7, 1], atol=1e-12)
    assert inserted.area == pytest.approx(0.6)


def test_fractions_are_those_that_were_really_replaced() -> None:
    relevance = FIVE[0].numpy()
    deleted = deletion(FIVE, nothing(FIVE), relevance, total, steps=3)
    np.testing.assert_allclose(deleted.fractions, [0, 0.4, 0.8, 1])
    assert deleted.area == pytest.approx(0.41)
    assert insertion(FIVE, nothing(FIVE), relevance, total, steps=3).area == pytest.approx(0.59)


def test_a_constant_map_is_averaged_over_random_orders_and_a_clear_one_is_computed_once() -> None:
    constant = np.ones((2, 2))
    seen: list[int] = []
    curve = deletion(SQUARE, nothing(SQUARE), constant, counting(seen), steps=2, seeds=5)
    assert sum(seen) == 5 * 3
    assert 0.3 <= curve.values[1] <= 0.7
    many = deletion(SQUARE, nothing(SQUARE), constant, total, steps=2, seeds=400)
    assert many.area == pytest.approx(0.5, abs=0.02)
    seen.clear()
    deletion(SQUARE, nothing(SQUARE), SQUARE[0].numpy(), counting(seen), steps=2, seeds=5)
    assert sum(seen) == 3
    # Equal pixels on one side of every count make no difference either.
    seen.clear()
    deletion(SQUARE, nothing(SQUARE), np.array([[1.0, 1.0], [0, 0]]), counting(seen), steps=2, seeds=5)
    assert sum(seen) == 3


def test_images_of_two_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"one shape \(C, H, W\)"):
        replacement_curve(SQUARE, FIVE, SQUARE[0].numpy(), total, [0, 1])


def test_for_an_absent_finding_the_score_is_that_of_its_absence() -> None:
    present, absent = (probability_score(total, present=each)(SQUARE[None]) for each in (True, False))
    assert present.item() == pytest.approx(1 / (1 + np.exp(-1)))
    assert (present + absent).item() == pytest.approx(1)


def test_the_drop_is_relative_and_never_negative() -> None:
    relevance = np.array([[1.0, 0.5], [-3.0, 0.0]])
    drop, increase = drop_and_increase(SQUARE, nothing(SQUARE), relevance, total)
    assert drop == pytest.approx(1 - (0.4 + 0.15))
    assert increase == 0
    raised = drop_and_increase(SQUARE, nothing(SQUARE), relevance, lambda images: 2 - total(images))
    assert raised == (0, 1)
    assert np.isnan(drop_and_increase(SQUARE, nothing(SQUARE), -np.ones((2, 2)), total)).all()
    assert np.isnan(drop_and_increase(nothing(SQUARE), nothing(SQUARE), relevance, total)).all()


def test_squares_are_whole_and_within_the_image() -> None:
    masks = square_masks(40, (20, 30), side=7, seed=3)
    assert masks.shape == (40, 20, 30)
    assert (masks.sum((1, 2)) == 49).all()
    assert (masks.any(2).sum(1) == 7).all()
    assert np.array_equal(masks, square_masks(40, (20, 30), side=7, seed=3))
    with pytest.raises(InputError, match="side must lie between 1 and 20"):
        square_masks(1, (20, 30), side=21)
    assert standard_squares((20, 30)).shape == (64, 20, 30)


@pytest.mark.parametrize("normalise", [True, False])
def test_infidelity_is_captums(normalise: bool) -> None:
    random = torch.Generator().manual_seed(1)
    image = torch.rand(1, 12, 10, generator=random, dtype=torch.float64)
    weights = torch.randn(1, 12, 10, generator=random, dtype=torch.float64)
    relevance = torch.randn(12, 10, generator=random, dtype=torch.float64)
    masks = square_masks(30, (12, 10), side=4, seed=2)

    def score(images: Tensor) -> Tensor:
        return torch.tanh((images * weights).sum((1, 2, 3)))

    def perturb(inputs: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.from_numpy(masks)[:, None].double()
        return hidden, inputs * (1 - hidden)

    expected = captum_infidelity(
        score, perturb, image[None], relevance[None, None], n_perturb_samples=30, normalize=normalise
    )
    drops = score_drops(image, nothing(image), masks, score)
    found = infidelity(relevance.numpy(), masks, drops, normalise=normalise)
    assert found == pytest.approx(expected.item(), rel=1e-9)


def test_a_map_that_predicts_every_drop_has_no_infidelity_and_a_correlation_of_1() -> None:
    image = torch.rand(1, 12, 10, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    masks = square_masks(30, (12, 10), side=4, seed=2)
    drops = score_drops(image, nothing(image), masks, total)
    exact = image[0].numpy()
    assert infidelity(exact, masks, drops, normalise=False) == pytest.approx(0, abs=1e-20)
    assert infidelity(7 * exact, masks, drops) == pytest.approx(0, abs=1e-20)
    assert faithfulness_correlation(exact, masks, drops) == pytest.approx(1)
    assert faithfulness_correlation(-exact, masks, drops) == pytest.approx(-1)
    assert infidelity(np.zeros((12, 10)), masks, drops) == pytest.approx(np.mean(drops**2))
    assert np.isnan(faithfulness_correlation(np.zeros((12, 10)), masks, drops))
    assert np.isnan(infidelity(np.full((12, 10), np.nan), masks, drops))
