from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.preprocess.lungs import (
    as_drawn,
    clean,
    components,
    drop_small,
    fill_holes,
    split_touching,
    under_lungs,
)


def drawing(*lines: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in line] for line in lines])


def discs(*circles: tuple[int, int, int], side: int = 100) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    inside: np.ndarray = np.logical_or.reduce(
        [(rows - y) ** 2 + (columns - x) ** 2 <= r * r for y, x, r in circles]
    )
    return inside


def flooded(mask: np.ndarray, start: tuple[int, int]) -> set[tuple[int, int]]:
    """The pixels that can be walked to from one, sideways, over pixels of the same value."""
    seen, todo = {start}, deque([start])
    while todo:
        row, column = todo.popleft()
        for near in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            inside = 0 <= near[0] < mask.shape[0] and 0 <= near[1] < mask.shape[1]
            if inside and near not in seen and mask[near] == mask[start]:
                seen.add(near)
                todo.append(near)
    return seen


masks = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).random((12, 9)) < np.random.default_rng(seed).random()
)


@settings(max_examples=50, deadline=None)
@given(masks)
def test_components_agree_with_a_slow_search_largest_first(mask: np.ndarray) -> None:
    walked = {frozenset(flooded(mask, (row, column))) for row, column in np.argwhere(mask).tolist()}
    ours = [frozenset(map(tuple, np.argwhere(part).tolist())) for part in components(mask)]
    assert set(ours) == walked
    assert [len(part) for part in ours] == sorted((len(part) for part in walked), reverse=True)


@settings(max_examples=50, deadline=None)
@given(masks)
def test_holes_are_the_pixels_that_a_flood_fill_from_outside_does_not_reach(mask: np.ndarray) -> None:
    framed = np.pad(mask, 1)
    outside = flooded(framed, (0, 0))
    expected = np.array([[(r, c) not in outside for c in range(11)] for r in range(14)])[1:-1, 1:-1]
    np.testing.assert_array_equal(fill_holes(mask), expected)


def test_only_components_beyond_the_second_are_dropped() -> None:
    mask = drawing("##...#", "##...#", "......", "#.....")
    np.testing.assert_array_equal(drop_small(mask), drawing("##...#", "##...#", "......", "......"))
    two = drawing("##...#", "##....")
    np.testing.assert_array_equal(drop_small(two), two)
    assert not drop_small(np.zeros((3, 3), bool)).any()


def test_touching_lungs_are_split_where_they_touch() -> None:
    touching = discs((50, 28, 24), (50, 72, 24))
    assert len(components(touching)) == 1
    parted = split_touching(touching)
    left, right = components(parted)
    lost = touching & ~parted
    assert abs(int(left.sum()) - int(right.sum())) < 0.05 * left.sum()
    assert set(np.argwhere(lost)[:, 1]) <= {49, 50, 51}
    assert lost.sum() < 0.02 * touching.sum()


@pytest.mark.parametrize(
    "mask", [discs((50, 50, 30)), discs((50, 25, 20), (50, 75, 20)), np.zeros((9, 9), bool)]
)
def test_masks_that_do_not_touch_are_unchanged(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(split_touching(mask), mask)


def test_lungs_cut_by_the_border_of_the_film_can_be_split_too() -> None:
    touching = discs((50, 28, 24), (50, 72, 24))[:60, 10:90]
    assert len(components(split_touching(touching))) == 2


def test_cleaning_keeps_two_whole_lungs() -> None:
    dirty = discs((50, 28, 24), (50, 72, 24), (5, 5, 3)) & ~discs((50, 28, 4))
    tidy = clean(dirty)
    assert len(components(tidy)) == 2
    assert tidy[50, 28]
    assert not tidy[5, 5]
    np.testing.assert_array_equal(clean(tidy), tidy)
    assert not clean(np.zeros((5, 5), bool)).any()


def test_a_mask_as_drawn_excludes_the_spine_and_is_a_little_larger() -> None:
    mask = np.zeros((200, 240), bool)
    mask[20:180, 20:118] = mask[20:180, 122:220] = True  # the midline is x = 119.5, the chest 200 wide
    drawn = as_drawn(mask)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (18, 181, 18, 221)
    assert np.flatnonzero(~drawn[20, 60:180]).size == 20  # 5 % of 200 on either side
    assert np.flatnonzero(~drawn[179, 60:180]).size == 32  # 8 %


def test_a_tilted_spine_is_excluded_along_its_tilt() -> None:
    rows, columns = np.mgrid[:200, :240]
    away = columns - (100 + 0.2 * rows)
    mask = (np.abs(away) > 1) & (np.abs(away) < 70) & (rows > 10) & (rows < 190)
    lost = mask & ~as_drawn(mask)
    assert lost.sum() > 1000
    assert np.abs(away[lost]).max() < 15


@pytest.mark.parametrize(
    "mask", [np.zeros((9, 9), bool), discs((50, 50, 30)), discs((20, 50, 9), (80, 50, 9))]
)
def test_a_mask_without_two_lungs_side_by_side_is_unchanged(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(as_drawn(mask), mask)


def test_under_the_lungs_is_everything_below_to_the_border() -> None:
    mask = drawing(".#..", ".#.#", "....", "....")
    np.testing.assert_array_equal(under_lungs(mask), drawing(".#..", ".#.#", ".#.#", ".#.#"))
