import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.preprocess.pipeline import Fit, Interpolation

FITS: tuple[Fit, ...] = ("stretch", "pad", "crop")
PLAIN: dict[str, Any] = {"mean": 0.0, "std": 1.0}


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width), dtype=np.float32)


def area_weights(before: int, after: int) -> np.ndarray:
    """The share of every old pixel in every new one, from the overlap of their intervals: (after, before)."""
    edges = np.arange(after + 1) * before / after
    weights = np.zeros((after, before))
    for row in range(after):
        for column in range(before):
            overlap = min(edges[row + 1], column + 1) - max(edges[row], column)
            weights[row, column] = max(overlap, 0) * after / before
    return weights


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(40, 50), (20, 17), (64, 32)])
def test_a_moderate_resize_agrees_with_torch(mode: Interpolation, shape: tuple[int, int]) -> None:
    picture = image(*shape)
    ours = Preprocessing(size=32, interpolation=mode, **PLAIN)(picture)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(picture)[None, None], (32, 32), mode=mode, align_corners=False
    )
    torch.testing.assert_close(ours, theirs[0].clamp(0, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(96, 96), (101, 75), (70, 333)])
def test_a_strong_shrink_averages_areas(shape: tuple[int, int]) -> None:
    picture = image(*shape)
    ours = Preprocessing(size=32, **PLAIN)(picture)[0].numpy()
    rows, columns = area_weights(shape[0], 32), area_weights(shape[1], 32)
    np.testing.assert_allclose(ours, rows @ picture @ columns.T, atol=1e-5)


def test_only_the_axis_that_shrinks_strongly_is_averaged() -> None:
    picture = image(32, 320)
    ours = Preprocessing(size=32, **PLAIN)(picture)[0].numpy()
    np.testing.assert_allclose(ours, picture.reshape(32, 32, 10).mean(2), atol=1e-5)


def test_pixels_are_normalised_by_mean_and_deviation() -> None:
    picture = image(16, 16)
    out = Preprocessing(size=16, mean=0.4, std=0.2)(picture)
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out[0].numpy(), (picture - 0.4) / 0.2, atol=1e-5)


@pytest.mark.parametrize("shape", [(2828, 2320), (2320, 2827), (33, 40), (40, 33), (41, 32), (32, 32)])
def test_crop_keeps_the_central_square_and_pad_the_whole(shape: tuple[int, int]) -> None:
    height, width = shape
    picture = image(*shape)
    short, long = min(shape), max(shape)
    if long > 4096:
        pytest.skip("larger than a network's input")
    top, left = height // 2 - short // 2, width // 2 - short // 2
    cropped = Preprocessing(size=short, fit="crop", **PLAIN)(picture)[0].numpy()
    np.testing.assert_array_equal(cropped, picture[top : top + short, left : left + short])
    padded = Preprocessing(size=long, fit="pad", **PLAIN)(picture)[0].numpy()
    assert padded.sum(dtype=np.float64) == pytest.approx(picture.sum(dtype=np.float64), rel=1e-6)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(40, 33), (33, 40), (40, 30), (31, 31), (30, 47)])
def test_maps_return_to_the_pixels_that_the_network_saw(fit: Fit, shape: tuple[int, int]) -> None:
    picture = image(*shape)
    size = {"stretch": max(shape), "pad": max(shape), "crop": min(shape)}[fit]
    recipe = Preprocessing(size=size, fit=fit, **PLAIN)
    seen = recipe(picture).numpy()
    back = recipe.to_original(seen, shape)[0]
    assert back.shape == shape
    if fit == "stretch":  # one axis was interpolated there and back
        ramp = np.broadcast_to(np.linspace(0, 1, shape[1], dtype=np.float32), shape)
        there = recipe.to_original(recipe(ramp).numpy(), shape)[0]
        np.testing.assert_allclose(there, ramp, atol=1 / min(shape))
    else:  # no pixel was resized: exact where seen
        inside = ~np.isnan(back)
        np.testing.assert_array_equal(back[inside], picture[inside])


def test_only_pixels_cut_off_by_the_crop_are_nan() -> None:
    recipe = Preprocessing(size=8, fit="crop")
    back = recipe.to_original(np.ones((2, 7, 7)), (10, 15))
    seen = np.zeros((10, 15), bool)
    seen[:, 15 // 2 - 5 : 15 // 2 + 5] = True
    np.testing.assert_array_equal(np.isnan(back[0]), ~seen)
    np.testing.assert_array_equal(back[1][seen], 1)


@given(
    fit=st.sampled_from(FITS),
    height=st.integers(8, 90),
    width=st.integers(8, 90),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=80, deadline=None)
def test_a_bright_spot_returns_to_its_place(
    fit: Fit, height: int, width: int, place: tuple[float, float]
) -> None:
    y, x = round(place[0] * (height - 1)), round(place[1] * (width - 1))
    picture = np.zeros((height, width), np.float32)
    picture[y, x] = 1
    recipe = Preprocessing(size=96, fit=fit, **PLAIN)
    back = recipe.to_original(recipe(picture).numpy(), (height, width))[0]
    if np.isnan(back[y, x]):
        assert fit == "crop"
        return
    top = np.unravel_index(np.nanargmax(back), back.shape)
    assert max(abs(top[0] - y), abs(top[1] - x)) <= 1


def test_a_coarse_map_is_resized_as_by_torch() -> None:
    coarse = np.random.default_rng(1).normal(size=(3, 7, 7)).astype(np.float32)
    ours = Preprocessing(fit="stretch").to_original(coarse, (61, 47))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(coarse)[None], (61, 47), mode="bilinear", align_corners=False
    )[0]
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


@pytest.mark.parametrize("fit", FITS)
def test_zero_maps_return_zero_maps(fit: Fit) -> None:
    assert Preprocessing(fit=fit).to_original(np.empty((0, 7, 7)), (20, 30)).shape == (0, 20, 30)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((8, 8, 3)),
        np.zeros(8),
        np.zeros((0, 8)),
        np.full((8, 8), 255.0),
        np.full((8, 8), -0.1),
        np.array([[0.5, math.nan]]),
        np.array([[0.5, math.inf]]),
    ],
)
def test_an_image_of_another_shape_or_range_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"grey|\[0, 1\]"):
        Preprocessing()(bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"size": 0},
        {"size": 10**9},
        {"size": "224"},
        {"size": True},
        {"mean": math.nan},
        {"mean": None},
        {"std": 0},
        {"std": -1.0},
        {"std": math.inf},
        {"interpolation": "lanczos"},
        {"fit": ["crop"]},
    ],
)
def test_an_invalid_setting_is_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        Preprocessing(**bad)


def test_settings_survive_json_and_none_is_guessed() -> None:
    recipe = Preprocessing(size=299, mean=0.1, std=1 / 2048, interpolation="bicubic", fit="crop")
    assert Preprocessing.from_dict(recipe.as_dict()) == recipe
    for broken in ({**recipe.as_dict(), "gamma": 2}, {"size": 224}):
        with pytest.raises(InputError, match="another version"):
            Preprocessing.from_dict(broken)


def test_every_setting_changes_the_key() -> None:
    recipes = [
        Preprocessing(),
        Preprocessing(size=225),
        Preprocessing(mean=0.4),
        Preprocessing(std=0.5),
        Preprocessing(interpolation="bicubic"),
        Preprocessing(fit="pad"),
    ]
    assert len({recipe.key() for recipe in recipes}) == len(recipes)
    assert Preprocessing().key() == recipes[0].key()


def test_threads_get_the_same_bits() -> None:
    picture, recipe = image(700, 600), Preprocessing(interpolation="bicubic")
    alone = recipe(picture)
    with ThreadPoolExecutor(8) as pool:
        assert all(torch.equal(alone, one) for one in pool.map(lambda _: recipe(picture), range(32)))


def test_the_image_is_not_modified() -> None:
    picture = image(50, 60)
    picture.flags.writeable = False
    for fit in FITS:
        Preprocessing(size=50, fit=fit)(picture)
