"""Hit rate, relevance mass, rank accuracy: hand cases, slow derivations, and what is undefined."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cxrbench.errors import InputError
from cxrbench.judge import enlarged, hit, pixel_order, points_hit, rank_accuracy, relevance_mass, share_in_top

RANDOM = np.random.default_rng(5)
MASK = np.zeros((6, 6), bool)
MASK[2:4, 2:5] = True


def test_a_hit_is_the_first_of_equal_pixels_inside_the_mask() -> None:
    relevance = np.zeros((6, 6))
    relevance[2, 2] = relevance[5, 5] = 1
    assert hit(relevance, MASK) == 1
    relevance[0, 0] = 1
    assert hit(relevance, MASK) == 0
    assert hit(np.zeros((6, 6)), MASK) == 0  # the first pixel of a constant map is the top left one


def test_the_tolerance_is_a_distance_in_pixels() -> None:
    mask = np.zeros((40, 40), bool)
    mask[20, 20] = True
    relevance = np.zeros((40, 40))
    relevance[20 - 9, 20 - 12] = 1  # 15 pixels away
    assert hit(relevance, mask) == 0
    assert hit(relevance, mask, tolerance=15) == 1
    assert hit(relevance, mask, tolerance=14.9) == 0


def test_the_map_is_enlarged_as_torch_does_before_the_hit_is_read() -> None:
    cells = RANDOM.random((7, 7)).astype(np.float32)
    expected = F.interpolate(torch.from_numpy(cells)[None, None], (50, 40), mode="bilinear")[0, 0].numpy()
    assert np.array_equal(enlarged(cells, (50, 40)), expected)
    assert np.array_equal(enlarged(np.stack([cells, cells]), (50, 40))[1], expected)


@pytest.mark.parametrize("criterion", [hit, relevance_mass, rank_accuracy])
def test_an_empty_mask_and_a_map_with_nan_are_undefined(criterion) -> None:  # type: ignore[no-untyped-def]
    relevance = RANDOM.random((6, 6))
    assert np.isnan(criterion(relevance, np.zeros((6, 6), bool)))
    relevance[0, 0] = np.nan
    assert np.isnan(criterion(relevance, MASK))


def test_another_size_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="enlarge the map to the size of the mask"):
        hit(np.zeros((3, 3)), MASK)


def test_relevance_mass_counts_the_positive_part_alone() -> None:
    relevance = np.zeros((6, 6))
    relevance[2, 2], relevance[0, 0], relevance[5, 5], relevance[3, 3] = 3, 1, -7, -2
    assert relevance_mass(relevance, MASK) == 0.75
    assert np.isnan(relevance_mass(-np.ones((6, 6)), MASK))
    assert relevance_mass(np.ones((6, 6)), MASK) == pytest.approx(MASK.mean())


def test_rank_accuracy_is_the_mean_over_random_orders_of_ties() -> None:
    assert rank_accuracy(MASK.astype(float), MASK) == 1
    assert rank_accuracy(-MASK.astype(float), MASK) == 0
    relevance = RANDOM.integers(0, 4, (6, 6)).astype(float)
    count = int(MASK.sum())
    orders = [pixel_order(relevance, seed)[:count] for seed in range(4000)]
    slow = np.mean([MASK.ravel()[order].mean() for order in orders])
    assert rank_accuracy(relevance, MASK) == pytest.approx(slow, abs=0.01)


def test_the_share_in_the_top_is_exact_without_ties() -> None:
    relevance = RANDOM.permutation(36).reshape(6, 6).astype(float)
    for count in (1, 5, 36):
        top = np.argsort(-relevance.ravel())[:count]
        assert share_in_top(relevance, MASK, count) == pytest.approx(MASK.ravel()[top].mean())


def test_an_order_visits_each_pixel_once_and_equal_ones_by_chance() -> None:
    relevance = np.repeat(np.arange(4.0), 9).reshape(6, 6)
    first, second = pixel_order(relevance, 0), pixel_order(relevance, 1)
    for order in (first, second):
        assert sorted(order) == list(range(36))
        assert (np.diff(relevance.ravel()[order]) <= 0).all()
    assert not np.array_equal(first, second)
    assert np.array_equal(first, pixel_order(relevance, 0))


def test_a_reader_hits_with_any_point_inside() -> None:
    assert points_hit(np.array([[0, 0], [4.9, 3.2]]), MASK) == 1  # x 4, y 3
    assert points_hit(np.array([[3, 5]]), MASK) == 0
    assert points_hit(np.zeros((0, 2)), MASK) == 0
    assert np.isnan(points_hit(np.array([[3, 3]]), np.zeros((6, 6), bool)))
    with pytest.raises(InputError, match="6 by 6 pixels"):
        points_hit(np.array([[7, 2]]), MASK)
