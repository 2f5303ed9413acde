from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cxrbench.compare import Comparison, Scale, heatmap, peak, peaks
from cxrbench.errors import InputError


@pytest.fixture
def pair(made: Callable[..., Comparison]) -> Comparison:
    """Two models, two methods; maxima 1, 4 (grad_cam) and 2, 8 (layer_cam)."""
    base = made(np.eye(4)[None])
    heat = base.heat_maps["m", "grad_cam"]
    heats = {
        (model, method): replace(heat, model=model, method=method, maps=heat.maps * strength)
        for model, method, strength in (
            ("a", "grad_cam", 1),
            ("b", "grad_cam", 4),
            ("a", "layer_cam", 2),
            ("b", "layer_cam", 8),
        )
    }
    return replace(base, heat_maps=heats)


@pytest.mark.parametrize(
    ("scale", "expected"), [("map", (1, 4, 2, 8)), ("method", (4, 4, 8, 8)), ("all", (8,) * 4)]
)
def test_a_scale_is_per_map_per_method_or_for_all(
    pair: Comparison, scale: Scale, expected: tuple[float, ...]
) -> None:
    assert tuple(peaks(pair, "F0", scale).values()) == expected


def test_an_unknown_scale_is_refused(pair: Comparison) -> None:
    with pytest.raises(InputError, match="map, method, all"):
        peaks(pair, "F0", "jet")  # type: ignore[arg-type]


def test_the_peak_of_an_unsigned_map_is_its_maximum_and_never_negative(
    made: Callable[..., Comparison],
) -> None:
    assert peak(made(np.array([[[1.0, -9.0]]])).heat_maps["m", "grad_cam"], "F0") == 1
    assert peak(made(np.array([[[-1.0, -9.0]]])).heat_maps["m", "grad_cam"], "F0") == 0


def test_the_peak_of_a_fine_unsigned_map_ignores_single_pixels(made: Callable[..., Comparison]) -> None:
    maps = np.linspace(0, 1, 64 * 64).reshape(1, 64, 64)
    maps[0, 0, :5] = 1000
    assert peak(made(maps).heat_maps["m", "grad_cam"], "F0") == pytest.approx(0.99, abs=0.01)
    sparse = np.zeros((1, 64, 64))
    sparse[0, 3, 3] = 7  # the percentile is 0: the maximum, so that something is drawn
    assert peak(made(sparse).heat_maps["m", "grad_cam"], "F0") == 7
    assert peak(made(-maps).heat_maps["m", "grad_cam"], "F0") == 0


def test_the_peak_of_a_signed_map_ignores_single_pixels(made: Callable[..., Comparison]) -> None:
    maps = np.ones((1, 100, 100))
    maps[0, 0, 0] = -1000
    assert peak(made(maps, signed=True).heat_maps["m", "grad_cam"], "F0") == 1


def test_the_peak_is_zero_if_nothing_is_drawn(made: Callable[..., Comparison]) -> None:
    assert peak(made(np.empty((0, 0, 0)), problem="x").heat_maps["m", "grad_cam"], "F0") == 0
    assert peak(made(np.eye(2)[None]).heat_maps["m", "grad_cam"], "other") == 0


def test_a_heatmap_is_clipped_at_both_ends_and_keeps_nan() -> None:
    values = np.array([-4.0, -1, 0, 1, 2, 4, np.nan])
    np.testing.assert_array_equal(heatmap(values, 2, signed=False), [0, 0, 0, 0.5, 1, 1, np.nan])
    np.testing.assert_array_equal(heatmap(values, 2, signed=True), [-1, -0.5, 0, 0.5, 1, 1, np.nan])
    np.testing.assert_array_equal(heatmap(values, 0, signed=False), [0, 0, 0, 0, 0, 0, np.nan])
