"""CheXlocalize's segmentations: against a slow Otsu, and the published steps written out once more."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from cxrbench.errors import InputError
from cxrbench.judge import (
    PROBABILITY_CUTOFFS,
    SEGMENTATION_THRESHOLDS,
    best_probability_cutoff,
    best_segmentation_threshold,
    enlarged,
    iou,
    keep_above_cutoff,
    otsu_segmentation,
    threshold_segmentation,
)

FULL = np.ones((4, 4), bool)
EMPTY = np.zeros((4, 4), bool)


def smooth_map(seed: int, grid: int = 7, size: tuple[int, int] = (96, 80)) -> np.ndarray:
    cells = np.random.default_rng(seed).random((grid, grid), dtype=np.float32)
    return enlarged(cells**2, size)


def slow_otsu(levels: np.ndarray) -> int:
    """The level with the largest variance between the pixels up to it and those above: Otsu 1979, eq. 18."""
    best, threshold = -1.0, 0
    pixels = levels.ravel().astype(np.float64)
    for level in range(256):
        low, high = pixels[pixels <= level], pixels[pixels > level]
        if len(low) and len(high):
            between = len(low) * len(high) * (low.mean() - high.mean()) ** 2
            if between > best * (1 + 1e-12):
                best, threshold = between, level
    return threshold


def published_segmentation(relevance: np.ndarray) -> np.ndarray:
    """The steps of CheXlocalize, with all contours, also those inside others."""
    mask = relevance - relevance.min()
    levels = (255 * (mask / mask.max())).astype(np.uint8)
    binary = cv2.threshold(levels, 0, int(levels.max()), cv2.THRESH_OTSU)[1]
    contours = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    canvas = Image.new("1", (levels.shape[1], levels.shape[0]))
    for contour in contours:
        if len(contour) > 1:
            points = [(int(point[0][0]), int(point[0][1])) for point in contour]
            ImageDraw.Draw(canvas).polygon(points, outline=1, fill=1)
    return np.array(canvas, dtype=bool)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("grid", [7, 48])
def test_a_segmentation_is_that_of_the_published_steps(seed: int, grid: int) -> None:
    relevance = smooth_map(seed, grid)
    assert np.array_equal(otsu_segmentation(relevance), published_segmentation(relevance))


@pytest.mark.parametrize("seed", range(3))
def test_the_many_contours_of_a_fine_map_are_filled_as_the_published_polygons_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        # Levels in steps: regions that touch at corners, rings in rings, and single pixels.
        relevance = np.floor(rng.random(rng.integers(3, 30, 2)) * 4 + rng.random()).astype(np.float32)
        if relevance.max() > relevance.min():
            assert np.array_equal(otsu_segmentation(relevance), published_segmentation(relevance))


@pytest.mark.parametrize("seed", range(4))
def test_a_segmentation_is_a_slow_otsu_with_holes_filled(seed: int) -> None:
    relevance = smooth_map(seed)
    scaled = (relevance - relevance.min()) / (relevance.max() - relevance.min())
    levels = (255 * scaled).astype(np.uint8)
    expected = ndimage.binary_fill_holes(levels > slow_otsu(levels), np.ones((3, 3)))
    found = otsu_segmentation(relevance)
    # Pixels on a polygon's own line may differ in diagonal gaps of one pixel, and single pixels are dropped.
    assert (found != expected).mean() < 0.005


def test_a_ring_is_filled_and_a_single_pixel_is_dropped() -> None:
    relevance = np.zeros((20, 20))
    relevance[4:11, 4:11] = 1
    relevance[6:9, 6:9] = 0
    relevance[15, 15] = 1
    expected = np.zeros((20, 20), bool)
    expected[4:11, 4:11] = True
    assert np.array_equal(otsu_segmentation(relevance), expected)


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
def test_a_constant_map_has_an_empty_segmentation(value: float) -> None:
    constant = np.full((8, 8), value)
    assert not otsu_segmentation(constant).any()
    assert not threshold_segmentation(constant, 0.2).any()


def test_a_threshold_keeps_the_pixels_above_it() -> None:
    relevance = np.array([[-2.0, 0.0], [2.0, 6.0]])  # scaled: 0, .25, .5, 1
    assert threshold_segmentation(relevance, 0.5).tolist() == [[False, False], [False, True]]
    assert threshold_segmentation(relevance, 0.2).tolist() == [[False, True], [True, True]]


def test_there_are_seven_thresholds_and_nine_cutoffs() -> None:
    np.testing.assert_allclose(SEGMENTATION_THRESHOLDS, [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    np.testing.assert_allclose(PROBABILITY_CUTOFFS, np.arange(9) / 10)


def test_iou_of_a_hand_case() -> None:
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    first[:2, :2] = True
    second[1:3, 1:3] = True
    assert iou(first, second) == 1 / 7
    assert iou(FULL, FULL) == 1


def test_iou_with_empty_masks_is_undefined_on_true_positives_and_zero_beyond_them() -> None:
    for first, second in ((FULL, EMPTY), (EMPTY, FULL)):
        assert np.isnan(iou(first, second))
        assert iou(first, second, true_positives_only=False) == 0
    assert np.isnan(iou(EMPTY, EMPTY))
    assert np.isnan(iou(EMPTY, EMPTY, true_positives_only=False))


def test_masks_of_two_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"one shape; got \(4, 4\) and \(2, 2\)"):
        iou(FULL, np.ones((2, 2), bool))


def test_the_best_threshold_is_the_one_that_made_the_masks() -> None:
    maps = [smooth_map(seed) for seed in range(4)]
    for threshold in SEGMENTATION_THRESHOLDS:
        masks = [threshold_segmentation(each, threshold) for each in maps]
        assert best_segmentation_threshold(maps, masks) == threshold
    assert np.isnan(best_segmentation_threshold(maps, [np.zeros((96, 80), bool)] * 4))


def test_a_probability_equal_to_the_cutoff_counts_in_use_and_not_while_it_is_chosen() -> None:
    assert keep_above_cutoff(FULL, 0.5, 0.5).all()
    assert not keep_above_cutoff(FULL, 0.49, 0.5).any()
    # A false alarm at .3 and a hit at .5: cutoffs .3 and .4 drop the first alone, and the lower one is taken.
    assert best_probability_cutoff([FULL, FULL], [0.3, 0.5], [EMPTY, FULL]) == pytest.approx(0.3)
    assert best_probability_cutoff([FULL, FULL], [0.31, 0.5], [EMPTY, FULL]) == pytest.approx(0.4)
    assert np.isnan(best_probability_cutoff([EMPTY], [0.3], [EMPTY]))
