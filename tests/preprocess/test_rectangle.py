"""Inputs that are no squares, computed by hand."""

import json
from typing import Any

import numpy as np
import pytest

from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing

PLAIN: dict[str, Any] = {"mean": 0.0, "std": 1.0}


def test_a_size_is_a_side_or_a_height_and_a_width() -> None:
    assert Preprocessing(size=(320, 384)).input_shape == (320, 384)
    assert Preprocessing(size=96).input_shape == (96, 96)
    assert Preprocessing(size=(96, 96)) == Preprocessing(size=96)


def test_settings_survive_a_json_file_and_those_of_a_square_are_as_before() -> None:
    for recipe in (Preprocessing(size=(320, 384), fit="letterbox", interpolation="area"), Preprocessing()):
        stored = json.loads(json.dumps(recipe.as_dict()))
        assert stored == recipe.as_dict()
        again = Preprocessing.from_dict(stored)
        assert again == recipe
        assert again.key() == recipe.key()
    assert set(Preprocessing().as_dict()) == {
        *("size", "mean", "std", "interpolation", "fit", "crop"),
        *("window", "contrast", "clahe_clip", "clahe_tiles"),
    }
    assert Preprocessing.from_dict(Preprocessing(fit="crop", central=0.875).as_dict()).central == 0.875


@pytest.mark.parametrize("size", [(0, 5), (5, 5000), (5,), (5, 5, 5), (5.0, 5), (True, 5), "96"])
def test_other_sizes_are_refused(size: object) -> None:
    with pytest.raises(InputError, match=r"size must be a side of 1 to 4096 pixels, or a height and a width"):
        Preprocessing(size=size)  # type: ignore[arg-type]


def test_a_letterbox_resizes_first_and_then_adds_black() -> None:
    film = np.array([[1, 0, 0, 0, 0.5, 0.5, 0, 1], [0, 1, 0, 0, 0.5, 0.5, 1, 0]] * 2, np.float32)  # 4 × 8
    seen = Preprocessing(size=(7, 4), fit="letterbox", interpolation="area", **PLAIN)(film)[0].numpy()
    expected = np.zeros((7, 4))
    expected[2:4] = [0.5, 0, 0.5, 0.5]  # means of 2 × 2; the odd row of black is below
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_pad_crop_and_stretch_keep_the_proportions_of_the_input() -> None:
    film = np.arange(1, 25, dtype=np.float32).reshape(4, 6) / 24
    padded = Preprocessing(size=(8, 6), fit="pad", **PLAIN)(film)[0].numpy()
    np.testing.assert_allclose(padded[2:6], film)  # 6 wide, so 8 high
    assert not padded[:2].any()
    assert not padded[6:].any()
    cropped = Preprocessing(size=(4, 3), fit="crop", **PLAIN)(film)[0].numpy()
    np.testing.assert_allclose(cropped, film[:, 2:5])  # 4 high, so 3 wide
    wide = Preprocessing(size=(2, 6), fit="crop", **PLAIN)(film)[0].numpy()
    np.testing.assert_allclose(wide, film[1:3])
    stretched = Preprocessing(size=(2, 3), fit="stretch", interpolation="area", **PLAIN)(film)[0].numpy()
    np.testing.assert_allclose(stretched, film.reshape(2, 2, 3, 2).mean((1, 3)), atol=1e-6)


def test_the_centre_of_a_crop_is_a_share_of_its_sides() -> None:
    film = np.random.default_rng(0).random((16, 20), np.float32)
    recipe = Preprocessing(size=14, fit="crop", central=0.875, **PLAIN)
    np.testing.assert_array_equal(recipe(film)[0].numpy(), film[1:15, 3:17])
    assert recipe.placement((16, 20)).window == (1, 3, 15, 17)
    for fit in ("pad", "stretch", "letterbox"):
        with pytest.raises(InputError, match=r"be 1 unless fit is 'crop'"):
            Preprocessing(fit=fit, central=0.5)
    with pytest.raises(InputError, match="central must lie in"):
        Preprocessing(fit="crop", central=0)


def test_maps_of_a_letterbox_are_laid_where_the_film_is() -> None:
    # 4 × 8 pixels of film fill rows 2 and 3 of 7, at half the size: a row of the input is two of the film,
    # the input begins 4 rows above the film and ends 6 below it.
    placement = Preprocessing(size=(7, 4), fit="letterbox").placement((4, 8))
    assert placement.filled == (2, 0, 4, 4)
    assert placement.extent == (-4, 0, 10, 8)
    assert placement.window == (-4, 0, 10, 8)
    assert placement.seen == (0, 0, 4, 8)
    rows = np.repeat(np.arange(7.0)[:, None], 4, axis=1)  # the value is the row of the input
    columns = np.repeat(np.arange(4.0)[None], 7, axis=0)
    down, across = placement.lay(np.stack([rows, columns]))
    np.testing.assert_allclose(down, np.repeat([[1.75], [2.25], [2.75], [3.25]], 8, axis=1))
    beyond_first_and_last_cell = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    np.testing.assert_allclose(across, np.repeat([beyond_first_and_last_cell], 4, axis=0))


def test_a_letterbox_in_fractions_of_pixels() -> None:
    # 389 × 320 (width × height) into 384 × 320: 316 rows, 2 above and 2 below, of 320 / 316 film rows each.
    placement = Preprocessing(size=(320, 384), fit="letterbox").placement((320, 389))
    assert placement.filled == (2, 0, 318, 384)
    np.testing.assert_allclose(placement.extent, (-2 * 320 / 316, 0, 320 + 2 * 320 / 316, 389))
    assert placement.window == (-2, 0, 322, 389)
    back = placement.lay(np.ones((1, 10, 12)))
    np.testing.assert_array_equal(back, np.ones((1, 320, 389)))
