import cv2
import numpy as np

from cxrbench.figures import extent
from cxrbench.figures.outline import omission_note, smallest_region


def outlines(mask: np.ndarray) -> int:
    return len(cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0])


def test_small_regions_are_removed_and_the_shape_is_kept() -> None:
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.mgrid[:320, :320] - 160)) < 90
    speckled = disc ^ (rng.random(disc.shape) < np.where(disc, 0.02, 0.002))
    assert outlines(speckled) > 400
    assert outlines(extent(speckled)) < 5
    assert np.logical_xor(extent(speckled), disc).sum() < 0.02 * disc.sum()


def test_a_plain_shape_keeps_its_border() -> None:
    square = np.zeros((320, 320), bool)
    square[100:200, 0:80] = True
    assert np.logical_xor(extent(square), square).sum() < 0.01 * square.sum()


def test_a_thin_line_beside_a_large_region_is_kept() -> None:
    mask = np.zeros((320, 320), bool)
    mask[50:150, 50:150] = True
    mask[200:202, 20:300] = True
    mask[300, 300] = True
    assert extent(mask)[200:202, 20:300].all()
    assert not extent(mask)[300, 300]


def test_a_region_of_the_smallest_area_is_kept_and_a_smaller_one_removed() -> None:
    side = round(smallest_region((320, 240)) ** 0.5)
    mask = np.zeros((320, 240), bool)
    mask[50 : 50 + side, 50 : 50 + side] = True
    mask[150 : 150 + side, 150 : 149 + side] = True
    kept = extent(mask)
    assert kept[50 : 50 + side, 50 : 50 + side].sum() == smallest_region(mask.shape)
    assert not kept[120:].any()
    assert omission_note(mask.shape) == ", regions under 25 pixels omitted"
    assert omission_note((64, 64)) == ""


def test_a_thin_or_tiny_mask_is_not_lost() -> None:
    for rows in (slice(100, 101), slice(100, 102)):
        line = np.zeros((320, 320), bool)
        line[rows, 50:250] = True
        assert extent(line)[100, 150]
    assert not extent(np.zeros((20, 20), bool)).any()
    assert extent(np.ones((20, 20), bool)).all()
