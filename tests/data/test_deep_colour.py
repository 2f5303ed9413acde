"""PNG and TIFF keep all their bits, also in colour and with transparency."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose
from PIL import Image

from cxrbench.data import read_image
from cxrbench.errors import InputError

Writer = Callable[..., bytes]

COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels → PNG's colour type


def png(samples: np.ndarray) -> bytes:
    """A 16-bit PNG of (H, W, C) samples, C 2 (grey, alpha), 3 or 4."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def tiff(samples: np.ndarray, **options: Any) -> bytes:
    file = BytesIO()
    channels = samples.shape[2] if samples.ndim == 3 else 1
    options.setdefault("photometric", "rgb" if channels > 2 else "minisblack")
    if channels in (2, 4):
        options.setdefault("extrasamples", ["unassalpha"])
        options.setdefault("planarconfig", "contig")
    byte_order = options.pop("byteorder", "<")
    tifffile.imwrite(file, samples, byteorder=byte_order, **options)
    return file.getvalue()


def channels(grey: np.ndarray, count: int, opaque: int) -> np.ndarray:
    """A grey picture in 2, 3 or 4 channels, opaque."""
    alpha = np.full_like(grey, opaque)
    return np.dstack({2: [grey, alpha], 3: [grey] * 3, 4: [grey] * 3 + [alpha]}[count])


@pytest.fixture
def deep(film: np.ndarray) -> np.ndarray:
    """A 12-bit picture with the value 4095."""
    values = film.astype(np.uint16) * 16 + np.arange(64, dtype=np.uint16) % 16
    values[20, 20] = 4095
    return values


@pytest.mark.parametrize("writer", [png, tiff])
@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize(("bits", "opaque"), [(12, 65535), (12, 4095), (16, 65535)])
def test_grey_in_16_bit_colour_or_beside_alpha_keeps_its_bits(
    deep: np.ndarray, writer: Callable[[np.ndarray], bytes], count: int, bits: int, opaque: int
) -> None:
    grey = deep << (bits - 12)
    radiograph = read_image(writer(channels(grey, count, opaque)))
    full = 4095 if bits == 12 else 65535
    assert_allclose(radiograph.pixels, grey / full, atol=1e-6)
    assert radiograph.note == ("16-bit file read as 12-bit: its samples end at 4095" if bits == 12 else "")


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"tile": (16, 16)},
        {"planarconfig": "separate"},
    ],
)
def test_every_form_of_16_bit_colour_tiff_gives_the_same_picture(
    deep: np.ndarray, options: dict[str, Any]
) -> None:
    colour = channels(deep, 3, 0)
    if "planarconfig" in options:
        colour = np.ascontiguousarray(np.moveaxis(colour, 2, 0))
        options = {**options, "photometric": "rgb"}
    assert_allclose(read_image(tiff(colour, **options)).pixels, deep / 4095, atol=1e-6)


def test_colours_of_16_bits_are_read_as_luma_and_noted(deep: np.ndarray) -> None:
    colour = np.dstack([deep, deep // 2, deep // 3])
    for data in (png(colour), tiff(colour)):
        radiograph = read_image(data)
        assert_allclose(radiograph.pixels, colour @ [0.299, 0.587, 0.114] / 4095, atol=1e-6)
        assert "colour picture: read as its luma" in radiograph.note


@pytest.mark.parametrize("writer", [png, tiff])
def test_transparent_parts_of_16_bits_are_black(
    deep: np.ndarray, writer: Callable[[np.ndarray], bytes]
) -> None:
    for count in (2, 4):
        samples = channels(deep, count, 65535)
        samples[:, :32, -1] = 0
        samples[:, 32:40, -1] = 32768
        pixels = read_image(writer(samples)).pixels
        assert not pixels[:, :32].any()
        assert_allclose(pixels[:, 32:40], deep[:, 32:40] / 4095 * 32768 / 65535, atol=1e-6)
        assert_allclose(pixels[:, 40:], deep[:, 40:] / 4095, atol=1e-6)


def test_an_alpha_that_is_in_the_colours_already_is_not_applied_twice(deep: np.ndarray) -> None:
    for kind in ("assocalpha", "unspecified"):
        data = tiff(channels(deep, 2, 32768), extrasamples=[kind])
        assert_allclose(read_image(data).pixels, deep / 4095, atol=1e-6)


def test_the_orientation_of_16_bit_colour_is_obeyed(deep: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    data = png(channels(deep, 3, 0))
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    turned = data[:33] + chunk + data[33:]
    assert_allclose(read_image(turned).pixels, np.rot90(deep, -1) / 4095, atol=1e-6)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_unsigned_32_bit_samples_rise_beyond_the_signed_ones(byteorder: str) -> None:
    samples = np.array([[0, 2**30], [2**31, 2**32 - 1]], np.uint32)
    assert_allclose(read_image(tiff(samples, byteorder=byteorder)).pixels, [[0, 0.25], [0.5, 1]], atol=1e-6)
    twelve = read_image(tiff(np.array([[0, 4095]], np.uint32)))
    assert_allclose(twelve.pixels, [[0, 1]])
    assert "32-bit file read as 12-bit" in twelve.note


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.float16, np.float64, np.int64])
def test_signed_and_decimal_samples_are_stretched(kind: type[np.generic]) -> None:
    samples = np.array([[-100, -50], [0, 100]], kind)
    radiograph = read_image(tiff(samples))
    assert_allclose(radiograph.pixels, [[0, 0.25], [0.5, 1]], atol=1e-6)
    assert "stretched" in radiograph.note


def test_white_counts_from_the_other_end_at_every_depth(deep: np.ndarray) -> None:
    for samples in (deep, deep.astype(np.uint32), deep.astype(np.uint64), deep / 4095):
        plain = read_image(tiff(samples)).pixels
        assert_allclose(read_image(tiff(samples, photometric="miniswhite")).pixels, 1 - plain, atol=1e-6)


def test_what_is_read_plainly_only_is_refused_compressed_and_large(deep: np.ndarray) -> None:
    samples = channels(deep, 2, 65535)
    with pytest.raises(InputError, match=r"^film: .*only uncompressed; save it so, or as PNG"):
        read_image(tiff(samples, compression="zlib"), name="film")
    with pytest.raises(InputError, match="at most"):
        read_image(tiff(samples), max_pixels=48 * 64 - 1)
    file = BytesIO()
    with tifffile.TiffWriter(file) as pages:
        for _ in range(2):
            pages.write(samples, photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig")
    with pytest.raises(InputError, match="TIFF of 2 pages"):
        read_image(file.getvalue())


def test_a_16_bit_colour_png_that_is_cut_short_is_refused(deep: np.ndarray) -> None:
    data = png(channels(deep, 3, 0))
    with pytest.raises(InputError, match="expected a whole PNG"):
        read_image(data[: len(data) * 6 // 10])
