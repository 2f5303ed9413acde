import numpy as np
import pytest

from cxrbench.errors import InputError
from cxrbench.figures import COLOURS, colours_for, grey, overlay


@pytest.mark.parametrize("name", COLOURS)
def test_a_table_has_256_colours_and_begins_with_its_first_anchor(name: str) -> None:
    table = COLOURS[name].table
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert "#" + "".join(f"{value:02x}" for value in table[0]) == COLOURS[name].anchors[0]


@pytest.mark.parametrize("name", [name for name, colours in COLOURS.items() if not colours.diverging])
def test_sequential_colours_increase_in_lightness(name: str) -> None:
    lightness = COLOURS[name].table @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -0.5).all()
    assert lightness[-1] - lightness[0] > 150


@pytest.mark.parametrize("name", [name for name, colours in COLOURS.items() if colours.diverging])
def test_diverging_colours_are_lightest_near_zero(name: str) -> None:
    lightness = COLOURS[name].table @ np.array([0.2126, 0.7152, 0.0722])
    assert 100 < lightness.argmax() < 156


def test_jet_is_not_offered() -> None:
    assert "jet" not in COLOURS
    with pytest.raises(InputError, match="cividis"):
        colours_for("jet", signed=False)


def test_signed_maps_use_diverging_colours_whatever_table_is_named() -> None:
    assert colours_for("magma", signed=False) is COLOURS["magma"]
    assert colours_for("magma", signed=True).diverging
    assert not colours_for("blue-orange", signed=False).diverging


def test_without_relevance_the_radiograph_is_shown_unchanged() -> None:
    image = np.random.default_rng(0).random((6, 5)).astype(np.float32)
    for name in COLOURS:
        blank = overlay(image, np.zeros((6, 5), np.float32), COLOURS[name])
        assert np.array_equal(blank, grey(image))
        assert np.array_equal(overlay(image, np.full((6, 5), np.nan, np.float32), COLOURS[name]), grey(image))
        assert np.array_equal(
            overlay(image, np.ones((6, 5), np.float32), COLOURS[name], opacity=0), grey(image)
        )


def test_full_strength_at_full_opacity_is_the_last_colour() -> None:
    colours = COLOURS["cividis"]
    assert (overlay(np.zeros((2, 2)), np.ones((2, 2)), colours, opacity=1) == colours.table[-1]).all()
    signed = COLOURS["blue-orange"]
    assert (overlay(np.zeros((2, 2)), -np.ones((2, 2)), signed, opacity=1) == signed.table[0]).all()


def test_the_blend_follows_its_formula() -> None:
    colours, image, values = COLOURS["cividis"], np.array([[0.5]]), np.array([[0.25]])
    alpha = 0.6 * 1.6 * 0.25
    expected = (1 - alpha) * 128 + alpha * colours.table[64].astype(float)
    assert np.abs(overlay(image, values, colours)[0, 0] - expected).max() <= 0.5


def test_below_the_threshold_nothing_is_drawn() -> None:
    image, values = np.zeros((1, 2)), np.array([[0.3, 0.9]])
    drawn = overlay(image, values, COLOURS["cividis"], threshold=0.5)
    assert not drawn[0, 0].any()
    assert drawn[0, 1].any()
