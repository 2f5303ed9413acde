"""From the film to the network's input and back: where a point of a map lies on the film, in pixels."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing, pipeline
from cxrbench.preprocess.pipeline import Fit, Size

FITS: tuple[Fit, ...] = ("stretch", "pad", "crop")
ALL_FITS: tuple[Fit, ...] = (*FITS, "letterbox")
SIZES: tuple[Size, ...] = (224, (320, 260))
SHAPES = [(707, 580), (512, 512), (301, 233), (97, 260)]


class Lungs:
    """Result of the segmentation, with a box chosen by the test."""

    def __init__(self, box: tuple[int, int, int, int]) -> None:
        self.box = box


@pytest.fixture
def lungs_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[int, int, int, int]], None]:
    def put(box: tuple[int, int, int, int]) -> None:
        monkeypatch.setattr(pipeline, "segment", lambda image: Lungs(box))
        monkeypatch.setattr(pipeline, "crop_box", lambda lungs: lungs.box)

    return put


def middle(heat: np.ndarray) -> tuple[float, float]:
    """The centre of mass (y, x) of what was seen."""
    weights = np.nan_to_num(heat.astype(np.float64))
    rows, columns = np.indices(heat.shape)
    return float((weights * rows).sum() / weights.sum()), float((weights * columns).sum() / weights.sum())


def spot(shape: tuple[int, int], y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(shape, dtype=np.float32)
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * radius**2)).astype(np.float32)


@pytest.mark.parametrize("fit", ALL_FITS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cropped", [False, True])
def test_a_spot_returns_within_half_a_pixel_of_the_film(
    fit: Fit,
    size: Size,
    shape: tuple[int, int],
    cropped: bool,
    lungs_at: Callable[[tuple[int, int, int, int]], None],
) -> None:
    height, width = shape
    box = (height // 9, width // 7, height - height // 5, width - width // 11) if cropped else (0, 0, *shape)
    lungs_at(box)
    recipe = Preprocessing(size=size, fit=fit, crop="lungs" if cropped else "none", mean=0.0, std=1.0)
    y, x = (box[0] + box[2]) / 2 + 0.07 * height, (box[1] + box[3]) / 2 - 0.03 * width
    film = spot(shape, y, x, radius=max(shape) / 50)
    seen = recipe(film).numpy()
    back = recipe.to_original(seen, shape, recipe.box(film))[0]
    assert back.shape == shape
    error = np.hypot(*np.subtract(middle(back), middle(film)))
    assert error < 0.5  # pixels of the film; one of the network's is up to 3 of them here


@pytest.mark.parametrize("fit", ALL_FITS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [(7, 7), (14, 10)])
def test_a_coarse_cell_is_centred_on_its_place(
    fit: Fit, size: Size, grid: tuple[int, int], lungs_at: Callable[[tuple[int, int, int, int]], None]
) -> None:
    shape, box = (300, 260), (40, 30, 290, 221)
    lungs_at(box)
    recipe = Preprocessing(size=size, fit=fit, crop="lungs")
    top, left, bottom, right = recipe.placement(shape, box).extent
    cell = np.zeros((1, *grid), np.float32)
    cell[0, 3, 4] = 1
    back = recipe.to_original(cell, shape, box)[0]
    expected = (
        top + (3 + 0.5) / grid[0] * (bottom - top) - 0.5,
        left + (4 + 0.5) / grid[1] * (right - left) - 0.5,
    )
    np.testing.assert_allclose(middle(back), expected, atol=0.02)


@pytest.mark.parametrize("fit", ALL_FITS)
@pytest.mark.parametrize("size", [16, (24, 12)])
def test_pixels_outside_the_crop_are_not_seen(
    fit: Fit, size: Size, lungs_at: Callable[[tuple[int, int, int, int]], None]
) -> None:
    shape, box = (120, 100), (20, 10, 110, 70)
    lungs_at(box)
    recipe = Preprocessing(size=size, fit=fit, crop="lungs", mean=0.0, std=1.0)
    film = np.ones(shape, np.float32)
    film[20:110, 10:70] = 0.25
    assert recipe(film).max() <= 0.25 + 1e-6  # nothing of what is outside is in the input
    seen = ~np.isnan(recipe.to_original(np.ones((1, 4, 4)), shape, box)[0])
    inside = np.zeros(shape, bool)
    inside[20:110, 10:70] = True
    assert not (seen & ~inside).any()
    if fit != "crop":
        assert (seen == inside).all()


@given(
    fit=st.sampled_from(FITS),
    height=st.integers(4, 80),
    width=st.integers(4, 80),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
@settings(max_examples=150, deadline=None)
def test_uncropped_size_is_exact_pixel_by_pixel(
    fit: Fit, height: int, width: int, corners: tuple[float, float, float, float]
) -> None:
    """A window of the network's own size is not resized, so all that was seen comes back as it was."""
    rows = sorted(round(c * (height - 1)) for c in corners[:2])
    columns = sorted(round(c * (width - 1)) for c in corners[2:])
    box = (rows[0], columns[0], rows[1] + 1, columns[1] + 1)
    sides = box[2] - box[0], box[3] - box[1]
    size = max(sides) if fit == "pad" else min(sides)
    if fit == "stretch":
        box = (box[0], box[1], box[0] + size, box[1] + size)
    recipe = Preprocessing(size=size, fit=fit, mean=0.0, std=1.0)
    film = np.random.default_rng(0).random((height, width), dtype=np.float32)
    back = recipe.to_original(recipe(film, box).numpy(), film.shape, box)[0]
    seen = ~np.isnan(back)
    assert seen.any()
    np.testing.assert_array_equal(back[seen], film[seen])


def test_without_its_box_a_cropping_preprocessing_maps_nothing_back() -> None:
    recipe = Preprocessing(crop="lungs")
    with pytest.raises(InputError, match="crops each film to its lungs"):
        recipe.to_original(np.ones((1, 7, 7)), (20, 30))
    for box in [(0, 0, 21, 30), (5, 5, 5, 9), (-1, 0, 9, 9)]:
        with pytest.raises(InputError, match="must lie on the film"):
            recipe.to_original(np.ones((1, 7, 7)), (20, 30), box)


def test_a_given_box_avoids_the_segmentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "segment", None)
    Preprocessing(crop="lungs")(np.zeros((20, 30), np.float32), (0, 0, 10, 10))


def test_a_spot_on_an_original_of_chexpert_returns_to_its_pixel(
    lungs_at: Callable[[tuple[int, int, int, int]], None],
) -> None:
    shape, box = (2828, 2320), (310, 205, 2600, 2071)
    lungs_at(box)
    recipe = Preprocessing(size=224, fit="pad", crop="lungs", mean=0.0, std=1.0)
    film = spot(shape, 1500, 1200, radius=60)
    back = recipe.to_original(recipe(film, box).numpy(), shape, box)[0]
    assert np.hypot(*np.subtract(middle(back), middle(film))) < 0.5
