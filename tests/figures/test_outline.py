import cv2
import numpy as np

from cxrbench.figures import extent, omission_note, outline_polygons
from cxrbench.figures.outline import smallest_region


def border_count(mask: np.ndarray) -> int:
    return len(cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0])


def test_small_regions_are_removed_and_the_shape_is_kept() -> None:
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.mgrid[:320, :320] - 160)) < 90
    speckled = disc ^ (rng.random(disc.shape) < np.where(disc, 0.02, 0.002))
    assert border_count(speckled) > 400
    assert border_count(extent(speckled)) < 5
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
    assert omission_note(mask) == ", regions under 25 pixels omitted"


def test_a_caption_mentions_omitted_regions_only_if_there_are_any() -> None:
    mask = np.zeros((320, 320), bool)
    mask[50:60, 50:60] = True
    assert omission_note(mask) == ""
    speck = np.zeros((320, 320), bool)
    speck[200, 200] = True
    assert omission_note(mask | speck) == ", regions under 49 pixels omitted"
    assert omission_note(speck) == ""  # the only region is drawn, however small
    mask[55, 55] = False
    assert omission_note(mask) == ""  # a closed hole is no omitted region


def test_a_thin_or_tiny_mask_is_not_lost() -> None:
    for rows in (slice(100, 101), slice(100, 102)):
        line = np.zeros((320, 320), bool)
        line[rows, 50:250] = True
        assert extent(line)[100, 150]
    assert not extent(np.zeros((20, 20), bool)).any()
    assert extent(np.ones((20, 20), bool)).all()


def filled(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """What the polygons enclose, borders included; a hole's polygon encloses it a second time."""
    count = np.zeros(shape, np.uint8)
    for polygon in polygons:
        inside = np.zeros(shape, np.uint8)
        cv2.fillPoly(inside, [np.rint(polygon - 0.5).astype(np.int32)], 1)
        count += inside
    return count > 0


def test_the_polygons_enclose_the_extent() -> None:
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.mgrid[:320, :320] - 160)) < 90
    speckled = disc ^ (rng.random(disc.shape) < np.where(disc, 0.02, 0.002))
    polygons = outline_polygons(speckled)
    assert np.logical_xor(filled(polygons, disc.shape), extent(speckled)).sum() < 0.02 * disc.sum()


def test_a_rectangle_has_its_corners_at_the_centres_of_its_corner_pixels() -> None:
    mask = np.zeros((320, 320), bool)
    mask[100:200, 50:80] = True
    (polygon,) = outline_polygons(mask)
    assert {tuple(map(float, corner)) for corner in polygon} == {
        (50.5, 100.5),
        (79.5, 100.5),
        (79.5, 199.5),
        (50.5, 199.5),
    }


def test_a_large_hole_has_an_outline_of_its_own_and_a_small_one_none() -> None:
    ring = np.zeros((320, 320), bool)
    ring[50:250, 50:250] = True
    ring[100:102, 100:102] = False
    assert len(outline_polygons(ring)) == 1
    ring[120:200, 120:200] = False
    assert len(outline_polygons(ring)) == 2


def test_a_mask_of_one_pixel_is_outlined_and_an_empty_one_is_not() -> None:
    mask = np.zeros((64, 64), bool)
    assert outline_polygons(mask) == []
    mask[3, 4] = True
    (polygon,) = outline_polygons(mask)
    assert polygon.min(0).tolist() == [4, 3]
    assert polygon.max(0).tolist() == [5, 4]
