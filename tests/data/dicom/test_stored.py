"""Which bits of a word are the value, and which values mean "outside the film"."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.uid import RLELossless

from cxrbench.data import read_image
from cxrbench.errors import InputError

Writer = Callable[..., bytes]

FULL = {"WindowCenter": 2048, "WindowWidth": 4096}  # maps 12 bits to [0, 1]


@pytest.fixture
def deep(film: np.ndarray) -> np.ndarray:
    """A 12-bit picture in 16-bit words, with the values 0 and 4095."""
    values = film.astype(np.uint16) * 16
    values[20, 20], values[21, 21] = 0, 4095
    return values


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", RLELossless])
@pytest.mark.parametrize(("stored", "high"), [(12, 15), (12, 13), (9, 11), (12, 11)])
def test_values_lie_below_the_high_bit(
    write_dicom: Writer, film: np.ndarray, stored: int, high: int, syntax: str
) -> None:
    values = film.astype(np.uint16) * 2 ** (stored - 8)
    shift = high - stored + 1
    plain = read_image(write_dicom(values, BitsStored=stored, HighBit=stored - 1))
    moved = read_image(write_dicom(values << shift, syntax=syntax, BitsStored=stored, HighBit=high))
    assert_array_equal(moved.pixels, plain.pixels)
    assert moved.note == plain.note


def test_an_overlay_below_the_value_is_left_out(write_dicom: Writer, deep: np.ndarray) -> None:
    drawn = (deep << 4) | (np.arange(64) % 2).astype(np.uint16)
    plain = read_image(write_dicom(deep, BitsStored=12, HighBit=11, **FULL))
    assert_array_equal(read_image(write_dicom(drawn, BitsStored=12, HighBit=15, **FULL)).pixels, plain.pixels)


def test_signed_values_keep_their_sign_at_any_high_bit(write_dicom: Writer, deep: np.ndarray) -> None:
    signed = deep.astype(np.int16) - 2048
    window = {"WindowCenter": 0, "WindowWidth": 4096, "BitsStored": 12}
    plain = read_image(write_dicom(signed, HighBit=11, **window)).pixels
    assert_allclose(plain, deep / 4095, atol=1e-6)
    assert_array_equal(read_image(write_dicom(signed << 4, HighBit=15, **window)).pixels, plain)
    unfilled = (signed & 0x0FFF).astype(np.int16)  # the sign is not extended into the bits above
    assert_array_equal(read_image(write_dicom(unfilled, HighBit=11, **window)).pixels, plain)


def test_a_high_bit_that_the_values_contradict_is_noted(write_dicom: Writer, deep: np.ndarray) -> None:
    plain = read_image(write_dicom(deep, BitsStored=12, HighBit=11, **FULL))
    for high, words in ((15, "do not reach its high bit"), (7, "contradicts"), (16, "contradicts")):
        radiograph = read_image(write_dicom(deep, BitsStored=12, HighBit=high, **FULL))
        assert_array_equal(radiograph.pixels, plain.pixels)
        assert words in radiograph.note


@pytest.mark.parametrize(
    ("tag", "word", "stored"),
    [
        ((65535, "US"), 65535, 12),  # outside the stored bits
        ((65535, "US"), 65535, 16),
        ((-1, "SS"), 65535, 12),  # written signed, pixels unsigned
        ((-2000, "SS"), 63536, 16),
        ((0, "US"), 0, 12),
        ((4095, "US"), 4095, 12),
    ],
)
def test_padding_of_unsigned_films_is_black(
    write_dicom: Writer, deep: np.ndarray, tag: tuple[int, str], word: int, stored: int
) -> None:
    padded = np.clip(deep, 1, 4094)
    expected = (padded - padded[:, 8:].min()) / np.ptp(padded[:, 8:])
    padded[:, :8] = word
    radiograph = read_image(_with_padding(write_dicom, padded, tag, stored))
    assert not radiograph.pixels[:, :8].any()
    assert_allclose(radiograph.pixels[:, 8:], expected[:, 8:], atol=1e-6)


@pytest.mark.parametrize(
    ("tag", "word", "stored"),
    [
        ((-2000, "SS"), -2000, 16),
        ((63536, "US"), -2000, 16),  # written unsigned, pixels signed
        ((63536, "US"), -2000, 12),
        ((-2000, "SS"), 0x0830, 12),  # the sign is not extended
        ((0x0830, "US"), 0x0830, 12),
        ((0x0830, "US"), -2000, 12),
        ((-32768, "SS"), -32768, 12),  # outside the stored bits
    ],
)
def test_padding_of_signed_films_is_black(
    write_dicom: Writer, deep: np.ndarray, tag: tuple[int, str], word: int, stored: int
) -> None:
    padded = np.clip(deep, 100, 4000).astype(np.int16) - 2048
    expected = (padded - padded[:, 8:].min()) / np.ptp(padded[:, 8:])
    padded[:, :8] = word
    radiograph = read_image(_with_padding(write_dicom, padded, tag, stored))
    assert not radiograph.pixels[:, :8].any()
    assert_allclose(radiograph.pixels[:, 8:], expected[:, 8:], atol=1e-6)


def test_a_padding_value_that_never_occurs_takes_no_pixel_away(write_dicom: Writer, deep: np.ndarray) -> None:
    plain = read_image(write_dicom(deep, BitsStored=12, HighBit=11, **FULL))
    declared = read_image(write_dicom(deep, BitsStored=12, HighBit=11, PixelPaddingValue=65535, **FULL))
    assert_array_equal(declared.pixels, plain.pixels)


def test_padding_that_covers_the_whole_film_is_ignored(write_dicom: Writer, film: np.ndarray) -> None:
    radiograph = read_image(write_dicom(film, PixelPaddingValue=0, PixelPaddingRangeLimit=255))
    assert_allclose(radiograph.pixels, film / 255, atol=1e-7)
    assert "covers the whole film" in radiograph.note


def test_values_far_apart_are_read_one_by_one(write_dicom: Writer) -> None:
    stored = np.array([[0, 2**30], [2**31, 2**32 - 1]], np.uint32)
    pixels = read_image(write_dicom(stored)).pixels
    assert_allclose(pixels, stored / (2.0**32 - 1), atol=1e-7)


def test_pixel_data_that_end_early_or_go_on_are_refused(write_dicom: Writer, deep: np.ndarray) -> None:
    with pytest.raises(InputError, match="end after 6,044 of 6,144 bytes; it was cut short"):
        read_image(write_dicom(deep)[:-100])
    with pytest.raises(InputError, match="pixel data for 3; export the frame you mean"):
        read_image(write_dicom(np.vstack([deep] * 3), Rows=48))


def _with_padding(write_dicom: Writer, padded: np.ndarray, tag: tuple[int, str], stored: int) -> bytes:
    from io import BytesIO

    from pydicom import dcmread

    value, representation = tag
    dataset = dcmread(BytesIO(write_dicom(padded, BitsStored=stored, HighBit=stored - 1)))
    dataset.add_new("PixelPaddingValue", representation, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()
