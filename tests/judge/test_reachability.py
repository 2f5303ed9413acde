"""What a coarse grid can reach: no map of it does better."""

import numpy as np
import pytest

from cxrbench.judge import (
    enlarged,
    hit,
    iou,
    rank_accuracy,
    reachable,
    reachable_hit,
    relevance_mass,
    threshold_segmentation,
)
from cxrbench.judge.reachability import reachable_pixels

RANDOM = np.random.default_rng(11)


def disc(size: int, row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    mask: np.ndarray = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return mask


@pytest.mark.parametrize(("cells", "pixels"), [(4, 16), (3, 17), (5, 23), (2, 9)])
def test_the_largest_pixel_of_any_map_is_a_reachable_one_and_all_of_them_occur(
    cells: int, pixels: int
) -> None:
    maps = RANDOM.random((4000, cells, 1)) ** 4
    places = enlarged(maps, (pixels, 1))[:, :, 0].argmax(1)
    assert set(places) <= set(reachable_pixels(cells, pixels))
    # Pairs around a centre take turns with the neighbour that is larger; far more maps than places are tried.
    assert len(set(places)) >= cells


def test_a_map_as_fine_as_the_image_reaches_every_pixel() -> None:
    assert reachable_pixels(9, 9).tolist() == list(range(9))


@pytest.mark.parametrize("radius", [1, 3, 8])
@pytest.mark.parametrize("tolerance", [0, 3])
def test_a_hit_is_reachable_exactly_where_a_map_hits(radius: int, tolerance: int) -> None:
    maps = enlarged(RANDOM.random((1500, 4, 4)) ** 3, (32, 32))
    for _ in range(6):
        row, column = RANDOM.uniform(0, 32, 2)
        mask = disc(32, row, column, radius)
        hits = [hit(each, mask, tolerance=tolerance) for each in maps]
        assert reachable_hit(mask, (4, 4), tolerance=tolerance) == max(hits)


def test_a_nodule_between_the_centres_of_coarse_cells_cannot_be_hit() -> None:
    nodule = disc(224, 112 - 16, 112 - 16, 6)  # on a corner of four cells of 32 pixels
    assert reachable_hit(nodule, (7, 7)) == 0
    assert reachable_hit(nodule, (7, 7), tolerance=17) == 1
    assert reachable_hit(nodule, (224, 224)) == 1


def test_no_map_without_negative_values_has_a_larger_relevance_mass() -> None:
    for radius in (2, 6, 12):
        mask = disc(48, 20, 29, radius)
        best = reachable(relevance_mass, mask, (5, 5))
        maps = enlarged(RANDOM.random((500, 5, 5)) ** 6, (48, 48))
        assert max(relevance_mass(each, mask) for each in maps) <= best + 1e-9
        cells = np.eye(25).reshape(25, 5, 5)
        assert max(relevance_mass(each, mask) for each in enlarged(cells, (48, 48))) == pytest.approx(best)


def test_random_maps_of_a_grid_do_not_exceed_what_was_found_for_it() -> None:
    def overlap(relevance: np.ndarray, mask: np.ndarray) -> float:
        return iou(threshold_segmentation(relevance, 0.5), mask)

    def narrow_overlap(relevance: np.ndarray, mask: np.ndarray) -> float:
        return iou(threshold_segmentation(relevance, 0.8), mask)

    maps = enlarged(RANDOM.random((400, 5, 5)) ** 3, (48, 48))
    for radius in (3, 9, 15):
        mask = disc(48, 22, 27, radius)
        for criterion in (overlap, narrow_overlap, rank_accuracy):
            best = reachable(criterion, mask, (5, 5))
            assert max(criterion(each, mask) for each in maps) <= best
            assert best <= reachable(criterion, mask, (24, 24))


def test_reachability_of_an_empty_mask_is_undefined() -> None:
    empty = np.zeros((8, 8), bool)
    assert np.isnan(reachable(relevance_mass, empty, (2, 2)))
    assert np.isnan(reachable_hit(empty, (2, 2)))
