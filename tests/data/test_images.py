import struct
import time
import tomllib
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench import assets
from cxrbench.data.images import MAX_BYTES, MAX_PIXELS, read_image, recognise
from cxrbench.errors import InputError

Writer = Callable[..., bytes]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_eight_bit_grey_comes_back_as_it_was_written(
    write_image: Writer, film: np.ndarray, kind: str
) -> None:
    radiograph = read_image(write_image(film, kind))
    assert radiograph.format == kind
    assert radiograph.size == film.shape
    assert radiograph.pixels.dtype == np.float32
    assert radiograph.note == ""
    np.testing.assert_array_equal(radiograph.pixels, film / np.float32(255))


def test_a_path_a_string_and_bytes_give_the_same(
    tmp_path: Path, write_image: Writer, film: np.ndarray
) -> None:
    path = tmp_path / "film.dat"
    path.write_bytes(write_image(film))
    from_path, from_text, from_bytes = read_image(path), read_image(str(path)), read_image(path.read_bytes())
    np.testing.assert_array_equal(from_path.pixels, from_bytes.pixels)
    assert from_path.sha256 == from_text.sha256 == from_bytes.sha256


@pytest.mark.parametrize(("highest", "depth"), [(255, 8), (1000, 10), (4095, 12), (16383, 14), (65535, 16)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_files_are_scaled_by_the_depth_they_use(
    write_image: Writer, kind: str, highest: int, depth: int
) -> None:
    samples = np.linspace(0, highest, 48 * 64).reshape(48, 64).astype(np.uint16)
    radiograph = read_image(write_image(samples, kind))
    np.testing.assert_allclose(radiograph.pixels, samples / (2**depth - 1), atol=1e-7)
    assert (f"{depth}-bit" in radiograph.note) == (depth < 16)


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "LA"])
def test_every_png_mode_of_a_grey_picture_gives_that_picture(
    write_image: Writer, film: np.ndarray, mode: str
) -> None:
    grey = Image.fromarray(film)
    picture = (
        grey.convert(mode) if mode != "1" else grey.point(lambda value: 255 * (value > 128)).convert("1")
    )
    expected = (film > 128).astype(np.float32) if mode == "1" else film / 255
    radiograph = read_image(write_image(picture))
    np.testing.assert_allclose(radiograph.pixels, expected, atol=1e-6)
    assert radiograph.note == ""


def test_transparent_parts_are_black(write_image: Writer, film: np.ndarray) -> None:
    alpha = np.where(np.arange(64) < 32, 255, 0).astype(np.uint8) * np.ones((48, 1), np.uint8)
    radiograph = read_image(write_image(np.dstack([film, film, film, alpha])))
    np.testing.assert_allclose(radiograph.pixels[:, :32], film[:, :32] / 255, atol=1e-6)
    assert not radiograph.pixels[:, 32:].any()


def test_colour_is_read_as_luma_and_noted(write_image: Writer) -> None:
    colour = np.zeros((4, 3, 3), np.uint8)
    colour[:, 0, 0], colour[:, 1, 1], colour[:, 2, 2] = 255, 255, 255
    radiograph = read_image(write_image(colour))
    np.testing.assert_allclose(radiograph.pixels[0], [0.299, 0.587, 0.114], atol=1e-6)
    assert "colour" in radiograph.note


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_close_to_what_was_written_in_any_mode(
    write_image: Writer, film: np.ndarray, mode: str
) -> None:
    radiograph = read_image(write_image(Image.fromarray(film).convert(mode), "JPEG", quality=95))
    assert radiograph.format == "JPEG"
    assert np.abs(radiograph.pixels - film / 255).max() < 0.04
    assert radiograph.note == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_an_orientation_tag_is_obeyed(write_image: Writer, film: np.ndarray, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90° clockwise
    radiograph = read_image(write_image(film, kind, exif=exif))
    assert radiograph.size == (64, 48)
    assert np.abs(radiograph.pixels - np.rot90(film, -1) / 255).max() < 0.04


def test_float_tiffs_are_kept_in_range_and_stretched_outside_it(write_image: Writer) -> None:
    inside = np.linspace(0.2, 0.8, 12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(read_image(write_image(inside, "TIFF")).pixels, inside)
    outside = read_image(write_image(inside * 3000 - 1000, "TIFF"))
    np.testing.assert_allclose(outside.pixels, (inside - 0.2) / 0.6, atol=1e-5)
    assert "stretched" in outside.note


def test_samples_that_are_no_numbers_turn_black(write_image: Writer) -> None:
    samples = np.linspace(0.2, 0.8, 12, dtype=np.float32).reshape(3, 4)
    samples[0, 0], samples[1, 1] = np.nan, np.inf
    radiograph = read_image(write_image(samples, "TIFF"))
    assert radiograph.pixels[0, 0] == radiograph.pixels[1, 1] == 0
    assert "2 samples" in radiograph.note
    with pytest.raises(InputError, match="only NaN or infinity"):
        read_image(write_image(np.full((3, 4), np.nan, np.float32), "TIFF"))


def test_huge_floats_do_not_overflow(write_image: Writer) -> None:
    top = np.finfo(np.float32).max
    radiograph = read_image(write_image(np.array([[-top, 0, top]], np.float32), "TIFF"))
    np.testing.assert_allclose(radiograph.pixels, [[0, 0.5, 1]])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate"])
def test_compressed_tiffs_are_read(write_image: Writer, film: np.ndarray, compression: str) -> None:
    radiograph = read_image(write_image(film, "TIFF", compression=compression))
    np.testing.assert_array_equal(radiograph.pixels, film / np.float32(255))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_tiff_that_counts_from_white_is_turned_round(write_image: Writer, dtype: type[np.generic]) -> None:
    samples: np.ndarray = (np.arange(12).reshape(3, 4) * (5000 if dtype == np.uint16 else 20)).astype(dtype)
    samples = samples / 255 if dtype == np.float32 else samples
    black = read_image(write_image(samples.astype(dtype), "TIFF")).pixels
    data = bytearray(write_image(samples.astype(dtype), "TIFF"))
    entry = data.index(struct.pack("<HHI", 262, 3, 1))  # PhotometricInterpretation, one short
    data[entry + 8 : entry + 10] = struct.pack("<H", 0)
    np.testing.assert_allclose(read_image(bytes(data)).pixels, 1 - black, atol=1e-6)


def test_several_pages_are_refused(write_image: Writer, film: np.ndarray) -> None:
    page = Image.fromarray(film)
    with pytest.raises(InputError, match=r"TIFF of 2 pages; save the one you mean\.$"):
        read_image(write_image(page, "TIFF", save_all=True, append_images=[page]))


def test_a_picture_of_one_value_is_read_and_noted(write_image: Writer) -> None:
    assert "same value" in read_image(write_image(np.full((5, 5), 7, np.uint8))).note


def test_a_huge_png_is_refused_at_once_with_little_memory() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"huge\.png: expected at most 40 million pixels .* 30000×30000"):
        read_image(data, name="huge.png")
    elapsed, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6
    assert elapsed < 5


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_the_limit_on_pixels_is_an_argument(write_image: Writer, film: np.ndarray, kind: str) -> None:
    data = write_image(film, kind)
    assert read_image(data, max_pixels=film.size).size == film.shape
    with pytest.raises(InputError, match="at most"):
        read_image(data, max_pixels=film.size - 1)


def test_the_largest_file_that_is_read_also_passes_the_pages_upload_limit(
    root: Path, write_dicom: Writer, film: np.ndarray
) -> None:
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf8"))
    limit = config["server"]["maxUploadSize"] * 2**20
    assert limit >= MAX_BYTES
    colour = np.dstack([film.astype(np.uint16)] * 3)  # no kind of DICOM has more bytes per pixel
    header = len(write_dicom(colour)) - colour.nbytes
    assert header + 6 * MAX_PIXELS <= MAX_BYTES
    for path in (root / "cxrbench" / "app").rglob("*.py"):
        code = path.read_text(encoding="utf8")
        if "file_uploader" in code and "DICOM" in code:
            assert "max_upload_size" not in code, f"{path.name} has a limit of its own"


def test_an_upload_is_no_larger_than_a_file() -> None:
    with pytest.raises(InputError, match="at most 1 MB, got a file of 2 MB; scale it down"):
        read_image(bytes(2 * 10**6), max_pixels=10)


def test_a_full_size_film_is_below_the_limit() -> None:
    assert MAX_PIXELS > 4280 * 3520


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_truncated_files_are_refused_in_one_sentence(
    write_image: Writer, film: np.ndarray, kind: str
) -> None:
    data = write_image(film, kind)
    with pytest.raises(InputError, match=f"cut.png: expected a whole {kind}"):
        read_image(data[: len(data) * 6 // 10], name="cut.png")


PNG_FIRST = "convert it to PNG first"
STRANGERS = [
    (b"", "an empty file; export or upload it again"),
    (b"Dear radiologist,\nplease find attached", "a text file; give the picture itself"),
    (("x" * 511 + "ü").encode(), "a text file"),
    (b"\n<!DOCTYPE html><html><body>", "a web page; download the picture itself"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", f"a WebP picture; {PNG_FIRST}"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "a sound or film"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", f"a HEIC picture; {PNG_FIRST}"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0", f"a HEIF picture; {PNG_FIRST}"),
    (b"\0\0\0\x18ftypavif\0\0\0\0", f"an AVIF picture; {PNG_FIRST}"),
    (b"\0\0\0\x18ftypisom\0\0\0\0", "a film"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", f"a JPEG 2000 picture; {PNG_FIRST}"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", f"a JPEG XL picture; {PNG_FIRST}"),
    (b"GIF89a\x01\x00", f"a GIF; {PNG_FIRST}"),
    (b"BM6\0\0\0", f"a BMP; {PNG_FIRST}"),
    (b"%PDF-1.7\n", "a PDF; export the radiograph in it as PNG"),
    (b"PK\x03\x04\x14\x00", "a ZIP archive; unpack it"),
    (b"\x1f\x8b\x08\0", "a gzip archive; unpack it"),
    (b"\x5c\x01\0\0\0\0\0\0", "a NIfTI volume; export one slice"),
    (b"\x80\x04\x95\x00", "a Python pickle"),
    (bytes(range(256)), "something else"),
]


@pytest.mark.parametrize(("data", "what"), STRANGERS)
def test_other_file_formats_are_named(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"^film\.png: expected .*, got {what}"):
        read_image(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png: there is no such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(InputError, match="got a folder"):
        read_image(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_image("bad\0name.png")


def test_a_file_larger_than_any_radiograph_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(InputError, match="10000 MB"):
        read_image(path)


def test_the_file_name_does_not_decide_the_format(
    tmp_path: Path, write_image: Writer, film: np.ndarray
) -> None:
    path = tmp_path / "film.dcm"
    path.write_bytes(write_image(film))
    assert read_image(path).format == "PNG"
    assert recognise(b"nothing known") is None


def test_every_film_of_the_gallery_is_read_to_the_bit() -> None:
    films = sorted(assets.gallery().glob("*/image.png"))
    if not films:
        pytest.skip("no gallery ships with this checkout")
    for file in films:
        radiograph = read_image(file)
        assert radiograph.note == ""
        with Image.open(file) as image:
            np.testing.assert_array_equal(radiograph.pixels, np.asarray(image) / np.float32(255))


def test_real_radiographs_are_all_read(real: Path) -> None:
    files = sorted((real / "nih" / "images").glob("*.png"))
    assert len(files) == 200
    for file in files:
        radiograph = read_image(file)
        assert radiograph.size == (512, 512)
        assert radiograph.note == ""
        with Image.open(file) as image:
            np.testing.assert_array_equal(radiograph.pixels, np.asarray(image) / np.float32(255))
