"""Large JPEGs, decoded smaller without a visible change after the resize."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrbench.data import read_image
from cxrbench.data.raster import decoder_scale
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.preprocess.pipeline import Fit

Writer = Callable[..., bytes]


@cache
def chest(height: int, width: int) -> np.ndarray:
    """Lungs, ribs, a hard-edged letter and grain, at the size of CheXpert's originals: uint8."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    lungs = sum(np.exp(-(((y - 0.5) / 0.3) ** 4) - ((x - at) / 0.14) ** 4) for at in (0.3, 0.7))
    film = 190 - 120 * lungs + 12 * np.sin(60 * y + 8 * (x - 0.5) ** 2)
    film += np.random.default_rng(0).normal(0, 3, film.shape)
    film[height // 20 : height // 12, width // 20 : width // 14] = 255
    levels: np.ndarray = film.clip(0, 255).astype(np.uint8)
    return levels


def jpeg(film: np.ndarray, **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(film).save(file, "JPEG", **{"quality": 92, **options})
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "side", "scale"),
    [
        ((2320, 2828), 224, 2),  # 580 of 2320 would remain: less than four times 224
        ((2320, 2828), 128, 4),
        ((2320, 2828), 64, 8),
        ((2320, 2828), 320, 1),
        ((320, 390), 224, 1),
        ((2317, 2825), 224, 2),  # half a pixel too much in 2317 moves a border by less than .1 of 224
        ((2053, 2053), 128, 2),  # of 514 pixels the last would hold one of four: .19 pixels too many
        ((2000, 2000), 128, 2),
        ((16, 2828), 224, 1),
    ],
)
def test_the_decoded_size_is_at_least_four_times_the_side(
    size: tuple[int, int], side: int, scale: int
) -> None:
    assert decoder_scale(size, side) == scale


@pytest.mark.parametrize(
    ("shape", "fit", "options"),
    [
        ((2828, 2320), "stretch", {}),
        ((2817, 2317), "crop", {}),
        ((2828, 2320), "pad", {"progressive": True}),
    ],
)
def test_scaled_decoding_changes_less_than_another_resize_would(
    shape: tuple[int, int], fit: Fit, options: dict[str, Any]
) -> None:
    data = jpeg(chest(*shape), **options)
    recipe = Preprocessing(size=224, fit=fit, mean=0.0, std=1.0)
    whole, smaller = read_image(data), read_image(data, for_side=224)
    assert smaller.pixels.size < 0.3 * whole.pixels.size
    full, scaled = recipe(whole.pixels)[0].numpy(), recipe(smaller.pixels)[0].numpy()
    # Pillow's and torchvision's resize: a triangle filter instead of a box.
    square = Image.fromarray(recipe.placement(shape).cut(whole.pixels))
    other = np.asarray(square.resize((224, 224), Image.Resampling.BILINEAR))
    assert np.abs(scaled - full).max() <= max(0.5 * np.abs(other - full).max(), 1.5 / 255)
    assert np.abs(scaled - full).mean() * 255 < 0.25  # grey levels: what rounding to bytes costs on average
    assert np.abs(scaled - full).max() * 255 < 6  # at the letter's edge


def test_scaled_decoding_does_not_shift_the_picture() -> None:
    """Centre of a bright disc, before and after, in pixels of the network's input."""
    y, x = np.mgrid[0:2817, 0:2317]
    disc = (255 * (np.hypot(y - 2500, x - 2100) < 150)).astype(np.uint8)
    data = jpeg(disc)
    recipe = Preprocessing(size=224, mean=0.0, std=1.0)
    middles = []
    for side in (None, 224):
        out = recipe(read_image(data, for_side=side).pixels)[0].numpy().astype(np.float64)
        moments = cv2.moments(out)
        middles.append((moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]))
    np.testing.assert_allclose(middles[0], middles[1], atol=0.11)


def test_files_that_cannot_be_decoded_smaller_are_decoded_whole(
    write_image: Writer, film: np.ndarray
) -> None:
    large = cv2.resize(film, (1280, 1024))
    for kind in ("PNG", "TIFF"):
        data = write_image(large, kind)
        np.testing.assert_array_equal(read_image(data, for_side=16).pixels, read_image(data).pixels)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_colour_and_orientation_are_respected_in_scaled_decoding(mode: str) -> None:
    picture = Image.fromarray(chest(1024, 1280)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    file = BytesIO()
    picture.save(file, "JPEG", quality=95, exif=exif)
    whole, smaller = read_image(file.getvalue()), read_image(file.getvalue(), for_side=64)
    assert whole.pixels.shape == (1280, 1024)
    assert smaller.pixels.shape == (320, 256)
    recipe = Preprocessing(size=64, mean=0.0, std=1.0)
    np.testing.assert_allclose(recipe(whole.pixels), recipe(smaller.pixels), atol=0.04)


def test_the_limit_on_pixels_applies_to_the_size_of_the_file() -> None:
    with pytest.raises(InputError, match="at most"):
        read_image(jpeg(chest(1024, 1280)), for_side=64, max_pixels=1024 * 1280 - 1)
