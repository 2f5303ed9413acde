from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cxrbench.augment import Affine, AffineDraw, Elastic, ElasticDraw
from cxrbench.errors import InputError

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).random((50, 41), dtype=np.float32), (0, 0), 2)
MOVES = [
    AffineDraw(degrees=17),
    AffineDraw(right=0.1, down=-0.06),
    AffineDraw(scale=1.3),
    AffineDraw(scale=0.8),
    AffineDraw(shear=12),
    AffineDraw(flip=True),
    AffineDraw(degrees=-9, right=0.05, down=0.02, scale=1.1, shear=-6, flip=True),
]


def blob(shape: tuple[int, int], y: float, x: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 18).astype(np.float32)


def slow_place(move: AffineDraw, shape: tuple[int, int], y: float, x: float) -> tuple[float, float]:
    """Where a point goes, step by step: flip, lean, turn, grow, shift, about the middle of the picture."""
    cy, cx = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    up, right = cy - y, x - cx  # as on paper: up is positive
    right = -right if move.flip else right
    right += up * np.tan(np.deg2rad(move.shear))
    angle, length = np.arctan2(up, right) + np.deg2rad(move.degrees), np.hypot(up, right) * move.scale
    up, right = length * np.sin(angle), length * np.cos(angle)
    return cy - up + move.down * shape[0], cx + right + move.right * shape[1]


@pytest.mark.parametrize("move", MOVES)
def test_a_spot_moves_to_the_place_computed_step_by_step(move: AffineDraw) -> None:
    shape = (120, 90)
    moved = move.image(blob(shape, 50, 55))
    middle = ndimage.center_of_mass(moved)
    np.testing.assert_allclose(middle, slow_place(move, shape, 50, 55), atol=0.1)


@pytest.mark.parametrize("move", MOVES)
def test_an_image_is_transformed_as_by_scipy(move: AffineDraw) -> None:
    inverse = np.linalg.inv(np.vstack([move.matrix(IMAGE.shape), [0, 0, 1]]))
    # scipy counts rows first.
    linear = inverse[:2, :2][::-1, ::-1]
    theirs = ndimage.affine_transform(IMAGE, linear, inverse[:2, 2][::-1], order=1)
    inside = np.s_[8:-8, 8:-8]  # at borders OpenCV blends with black where scipy cuts
    same = np.abs(move.image(IMAGE) - theirs)[inside]
    assert np.median(same) < 0.004
    assert (same < 0.03).mean() > 0.9


def test_the_default_is_the_identity() -> None:
    np.testing.assert_array_equal(AffineDraw().image(IMAGE), IMAGE)
    np.testing.assert_array_equal(ElasticDraw().image(IMAGE), IMAGE)


def test_quarter_turns_are_those_of_numpy() -> None:
    square = IMAGE[:41]
    np.testing.assert_allclose(AffineDraw(degrees=90).image(square), np.rot90(square), atol=1e-5)
    np.testing.assert_allclose(AffineDraw(flip=True).image(IMAGE), IMAGE[:, ::-1], atol=1e-5)


CHANGES = [*MOVES, ElasticDraw(0.05, 0.1, 3), ElasticDraw(0.2, 0.15, 4)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_mask_is_transformed_like_the_image(change: AffineDraw | ElasticDraw) -> None:
    rows, columns = np.indices((160, 130))
    mask = np.hypot(rows - 70, columns - 72) < 25
    moved = change.image(mask.astype(np.float32))
    changed_mask = change.mask(mask)
    assert changed_mask.dtype == bool
    np.testing.assert_array_equal(changed_mask, moved >= 0.5)
    # The lesion's own pixels stay inside the mask: a bright disc, its mask, both moved.
    film = np.where(mask, 1.0, 0.2).astype(np.float32)
    seen = change.image(film) > 0.6
    assert (seen & changed_mask).sum() / (seen | changed_mask).sum() > 0.98


@pytest.mark.parametrize("change", CHANGES)
def test_arguments_are_not_modified(change: AffineDraw | ElasticDraw) -> None:
    image, mask = IMAGE.copy(), IMAGE > 0.5
    image.flags.writeable = mask.flags.writeable = False
    assert change.image(image).base is None
    change.mask(mask)


@pytest.mark.parametrize("ranges", [Affine(8, 0.05, 0.1, 5, 0.5), Elastic(0.05)])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_seed_determines_the_draw_and_the_draw_the_image(ranges: Affine | Elastic, seed: int) -> None:
    first, again = (ranges.draw(np.random.default_rng(seed)) for _ in range(2))
    assert first == again
    np.testing.assert_array_equal(first.image(IMAGE), again.image(IMAGE))
    np.testing.assert_array_equal(first.image(IMAGE), first.image(IMAGE))


@given(st.integers(0, 10_000))
@settings(max_examples=60)
def test_draws_stay_within_their_ranges_and_do_not_mirror(seed: int) -> None:
    wide = Affine(degrees=9, shift=0.1, scale=0.2, shear=4)
    move = wide.draw(np.random.default_rng(seed))
    assert abs(move.degrees) <= 9
    assert max(abs(move.right), abs(move.down)) <= 0.1
    assert abs(move.scale - 1) <= 0.2
    assert abs(move.shear) <= 4
    assert not move.flip
    left = np.linalg.det(move.matrix((100, 100))[:, :2])
    assert left > 0  # a map that mirrors has a negative determinant


def test_one_width_does_not_change_what_another_draws() -> None:
    narrow = Affine(shear=0).draw(np.random.default_rng(3))
    wide = Affine(shear=20).draw(np.random.default_rng(3))
    assert (narrow.degrees, narrow.right, narrow.scale) == (wide.degrees, wide.right, wide.scale)


@pytest.mark.parametrize("strength", [0.01, 0.05])
def test_the_longest_displacement_is_the_strength(strength: float) -> None:
    lengths = np.hypot(*ElasticDraw(strength, 0.1, 7).field((120, 90)))
    assert lengths.max() == pytest.approx(strength * 90, rel=1e-5)
    assert lengths.mean() > 0.2 * lengths.max()  # smooth: it is not one pixel that moves


def test_an_elastic_deformation_agrees_with_scipy() -> None:
    warp = ElasticDraw(0.05, 0.1, 2)
    down, right = warp.field(IMAGE.shape)
    rows, columns = np.indices(IMAGE.shape)
    slow = ndimage.map_coordinates(IMAGE, [rows + down, columns + right], order=1)
    inside = np.s_[5:-5, 5:-5]
    np.testing.assert_allclose(warp.image(IMAGE)[inside], slow[inside], atol=0.01)


@pytest.mark.parametrize("bad", [{"degrees": -1}, {"scale": 1.0}, {"flip": 1.1}, {"shift": float("nan")}])
def test_invalid_widths_are_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        Affine(**bad)
