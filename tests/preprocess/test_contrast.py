from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import exposure

from cxrbench.preprocess import CONTRASTS
from cxrbench.preprocess.contrast import clahe, equalise, window

RANDOM = np.random.default_rng(0)
# Most of it dark, a few pixels bright: what a film with a white letter on it is like.
FILM = np.round(RANDOM.beta(2, 6, (90, 70)) * 255).astype(np.uint8)
GREY = (FILM / np.float32(255)).astype(np.float32)
STEP = 1 / 4080


@pytest.mark.parametrize("percent", [0.0, 1.0, 5.0, 25.0])
def test_the_window_stretches_between_numpys_percentiles(percent: float) -> None:
    low, high = np.percentile(GREY, [percent, 100 - percent], method="inverted_cdf")
    slow = np.clip((GREY - low) / (high - low), 0, 1)
    np.testing.assert_allclose(window(GREY, percent), slow, atol=1e-5)
    assert window(GREY, percent).min() == 0
    assert window(GREY, percent).max() == pytest.approx(1)


def test_a_bright_letter_does_not_change_the_contrast_of_the_rest() -> None:
    dull = GREY * np.float32(0.3)
    dull[:3, :3] = 1
    assert np.median(window(dull, 1.0)) > 2 * np.median(dull)


def test_equalisation_agrees_with_opencv_in_8_bits() -> None:
    np.testing.assert_allclose(equalise(GREY), cv2.equalizeHist(FILM) / 255, atol=0.6 / 255)


def test_equalised_greys_are_equally_frequent() -> None:
    fine = RANDOM.beta(2, 6, (400, 400)).astype(np.float32)
    shares = np.histogram(equalise(fine), 10, (0, 1))[0] / fine.size
    np.testing.assert_allclose(shares, 0.1, atol=0.002)
    slow = exposure.equalize_hist(fine, nbins=4096)
    np.testing.assert_allclose(equalise(fine), slow, atol=2 * STEP + 1e-3)


def slow_clahe_of_one_tile(levels: np.ndarray, clip: float) -> np.ndarray:
    """Zuiderveld's algorithm where the whole film is one tile: cut off, share out, sum up."""
    counts = np.bincount(levels.ravel(), minlength=256)
    limit = max(int(clip * levels.size / 256), 1)
    excess = int(np.maximum(counts - limit, 0).sum())
    counts = np.minimum(counts, limit) + excess // 256
    rest = excess % 256
    if rest:
        step = max(256 // rest, 1)
        counts[: rest * step : step][:rest] += 1
    table = np.rint(np.cumsum(counts) * np.float32(255 / levels.size)).clip(0, 255)
    equalised: np.ndarray = table[levels] / 255
    return equalised


@pytest.mark.parametrize("clip", [1.0, 2.0, 4.0, 40.0])
def test_clahe_of_one_tile_follows_its_algorithm_step_by_step(clip: float) -> None:
    np.testing.assert_allclose(clahe(GREY, clip, 1), slow_clahe_of_one_tile(FILM, clip), atol=1.01 / 255)


def test_clahe_enhances_faint_structure_in_dark_and_in_bright_regions() -> None:
    rows, columns = np.mgrid[:160, :160]
    ground = np.where(columns < 80, 0.15, 0.85)
    faint = (ground + 0.01 * np.sin(rows / 3)).astype(np.float32)
    out = clahe(faint, 4.0, 8)
    for side in (slice(10, 70), slice(90, 150)):
        assert out[:, side].std() > 3 * faint[:, side].std()


@pytest.mark.parametrize("name", list(CONTRASTS))
@given(height=st.integers(1, 40), width=st.integers(1, 40), grey=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_every_contrast_keeps_shape_range_and_its_argument(
    name: str, height: int, width: int, grey: float, seed: int
) -> None:
    for image in (
        np.full((height, width), grey, np.float32),
        np.random.default_rng(seed).random((height, width), dtype=np.float32),
    ):
        image.flags.writeable = False
        out = window(CONTRASTS[name].apply(image, 2.0, 8), 1.0)
        assert out.shape == image.shape
        assert out.dtype == np.float32
        assert out.min() >= 0
        assert out.max() <= 1


@pytest.mark.parametrize("spread", [lambda x: window(x, 2.0), equalise])
def test_the_order_of_greys_is_kept(spread: Callable[..., Any]) -> None:
    order = np.argsort(GREY.ravel(), kind="stable")
    assert (np.diff(spread(GREY).ravel()[order]) >= 0).all()


@pytest.mark.parametrize("spread", [lambda x: window(x, 2.0), lambda x: window(x, 0.0), equalise])
def test_a_constant_film_is_unchanged(spread: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(spread(np.full((5, 4), 0.25, np.float32)), np.float32(0.25))
