from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.augment import AffineDraw, Augmentation, Draw, IntensityDraw, apply
from cxrbench.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)


def test_the_default_draw_is_the_identity() -> None:
    np.testing.assert_allclose(apply(IMAGE, Draw()), IMAGE / 255, atol=1e-7)


def test_the_look_up_table_follows_the_formula_pixel_by_pixel() -> None:
    draw = Draw(exposure=IntensityDraw(brightness=0.05, contrast=1.1, gamma=0.8))
    slow = np.clip(0.5 + 1.1 * ((IMAGE / 255.0) ** 0.8 - 0.5) + 0.05, 0, 1)
    np.testing.assert_allclose(apply(IMAGE, draw), slow, atol=1e-6)


def test_a_shift_moves_right_and_down_by_the_fraction() -> None:
    moved = apply(IMAGE, Draw(AffineDraw(right=0.1, down=0.2)))
    np.testing.assert_allclose(moved[8:, 4:], IMAGE[:-8, :-4] / 255, atol=1e-6)
    assert not moved[:8].any()
    assert not moved[:, :4].any()


def test_rotation_and_scale_keep_the_centre() -> None:
    dot = np.zeros((41, 41), np.uint8)
    dot[20, 20] = 255
    turned = apply(dot, Draw(AffineDraw(degrees=30, scale=1.2)))
    assert turned.argmax() == 20 * 41 + 20


@given(st.integers(0, 10_000))
def test_draws_stay_within_their_half_widths_and_do_not_mirror(seed: int) -> None:
    wide = Augmentation()
    draw = wide.draw(np.random.default_rng(seed))
    move, exposure = draw.move, draw.exposure
    assert abs(move.degrees) <= wide.degrees
    assert max(abs(move.right), abs(move.down)) <= wide.shift
    assert abs(move.scale - 1) <= wide.scale
    assert abs(exposure.contrast - 1) <= wide.contrast
    assert abs(np.log2(exposure.gamma)) <= wide.gamma
    # Off by default.
    assert (move.flip, move.shear, draw.warp.strength, exposure.noise) == (False, 0, 0, 0)
    bright_left = np.zeros((40, 40), np.uint8)
    bright_left[:, :10] = 200
    changed = apply(bright_left, draw)
    assert changed[:, :20].mean() > changed[:, 20:].mean()


def test_optional_ranges_do_not_change_the_other_draws() -> None:
    wide = Augmentation(shear=10, flip=1, elastic=0.03, noise=0.05).draw(np.random.default_rng(4))
    usual = Augmentation().draw(np.random.default_rng(4))
    assert wide.move.flip
    assert 0 < abs(wide.move.shear) <= 10
    assert 0 < wide.warp.strength <= 0.03
    assert 0 < wide.exposure.noise <= 0.05
    assert replace(wide.move, shear=0, flip=False) == usual.move
    assert replace(wide.exposure, noise=0) == usual.exposure


def test_noise_is_added_before_clipping() -> None:
    exposure = IntensityDraw(brightness=0.1, noise=0.05, seed=3)
    np.testing.assert_array_equal(
        apply(IMAGE, Draw(exposure=exposure)), exposure.image(IMAGE / np.float32(255))
    )


def test_a_negative_half_width_is_refused() -> None:
    with pytest.raises(InputError, match="shift"):
        Augmentation(shift=-0.1)
