import cv2
import numpy as np

from cxrbench.figures import extent


def outlines(mask: np.ndarray) -> int:
    return len(cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0])


def test_specks_vanish_and_the_shape_stays() -> None:
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


def test_a_thin_line_beside_something_large_stays() -> None:
    mask = np.zeros((320, 320), bool)
    mask[50:150, 50:150] = True
    mask[200:202, 20:300] = True
    mask[300, 300] = True
    assert extent(mask)[200:202, 20:300].all()
    assert not extent(mask)[300, 300]


def test_a_thin_or_tiny_mask_is_not_lost() -> None:
    for rows in (slice(100, 101), slice(100, 102)):
        line = np.zeros((320, 320), bool)
        line[rows, 50:250] = True
        assert extent(line)[100, 150]
    assert not extent(np.zeros((20, 20), bool)).any()
    assert extent(np.ones((20, 20), bool)).all()
