"""Choice of the window, and the notes on it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cxrbench.data import read_image
from cxrbench.data.dicom.windows import Window, choose_window

Writer = Callable[..., bytes]

RAMP = np.linspace(0, 4095, 48 * 64).round().astype(np.uint16).reshape(48, 64)
TWELVE = {"BitsStored": 12, "HighBit": 11}


@pytest.mark.parametrize("first", [0, -5, 0.3])
def test_the_next_usable_window_is_taken(write_dicom: Writer, first: float) -> None:
    radiograph = read_image(write_dicom(RAMP, WindowCenter=[0, 2048], WindowWidth=[first, 4096], **TWELVE))
    assert_allclose(radiograph.pixels, RAMP / 4095, atol=1e-6)
    assert "first window is unusable: window 2 of 2" in radiograph.note
    assert "without a window" not in radiograph.note


def test_a_window_narrower_than_1_is_read_exactly_and_noted(write_dicom: Writer) -> None:
    radiograph = read_image(
        write_dicom(
            RAMP, WindowCenter=0.5, WindowWidth=0.8, RescaleSlope=0.0002442, RescaleIntercept=0, **TWELVE
        )
    )
    assert_allclose(radiograph.pixels, np.clip((RAMP * 0.0002442 - 0.5) / 0.8 + 0.5, 0, 1), atol=1e-6)
    assert "too narrow for LINEAR: read as LINEAR_EXACT" in radiograph.note


def test_narrow_windows_of_the_other_functions_are_used() -> None:
    for function in ("LINEAR_EXACT", "SIGMOID"):
        assert choose_window([0.5], [0.8], function) == (Window(0.5, 0.8, function), ())


def test_an_unknown_function_is_read_as_linear_and_noted(write_dicom: Writer) -> None:
    tags = {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": "LOGARITHM"}
    radiograph = read_image(write_dicom(RAMP, **TWELVE, **tags))
    assert_allclose(radiograph.pixels, RAMP / 4095, atol=1e-6)
    assert "unknown VOI LUT function" in radiograph.note
    assert "LOGARITHM" not in radiograph.note


@pytest.mark.parametrize(
    ("centre", "width", "words"),
    [(128, 256, "94% of the film: 0% below, 94% above"), (4000, 100, "98% of the film: 96% below, 1% above")],
)
def test_a_window_that_cuts_off_most_of_the_film_is_noted(
    write_dicom: Writer, centre: float, width: float, words: str
) -> None:
    data = write_dicom(RAMP, WindowCenter=centre, WindowWidth=width, **TWELVE)
    assert words in read_image(data).note


def test_a_border_at_the_windows_very_end_is_not_cut_off(write_dicom: Writer) -> None:
    bordered = RAMP.copy()
    bordered[:30] = 0
    assert read_image(write_dicom(bordered, WindowCenter=2048, WindowWidth=4096, **TWELVE)).note == ""


def test_padding_is_no_part_of_the_film_that_is_cut_off(write_dicom: Writer) -> None:
    padded = RAMP.copy()
    padded[:40] = 60000
    tags = {"PixelPaddingValue": 60000, "WindowCenter": 2048, "WindowWidth": 4096}
    assert read_image(write_dicom(padded, **tags)).note == ""


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_extreme_windows_give_finite_pixels(write_dicom: Writer, function: str) -> None:
    for centre, width in (("2000", "1e-308"), ("-1e308", "1e308"), ("1e308", "1"), ("2000", "1e308")):
        data = write_dicom(RAMP, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function, **TWELVE)
        pixels = read_image(data).pixels
        assert 0 <= pixels.min() <= pixels.max() <= 1


def test_values_that_are_not_numbers_make_a_window_unusable(write_dicom: Writer) -> None:
    data = write_dicom(RAMP, WindowCenter="2048", WindowWidth="4096", **TWELVE)
    radiograph = read_image(data.replace(b"4096", b"4o96"))
    assert "without a window" in radiograph.note
