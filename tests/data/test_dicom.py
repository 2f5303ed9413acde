import warnings
from collections.abc import Callable
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from cxrbench.data.dicom import window
from cxrbench.data.images import read_image
from cxrbench.data.phantom import render
from cxrbench.errors import InputError

Writer = Callable[..., bytes]


def own_file(name: str) -> Path:
    """A file that comes with pydicom."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path)


@pytest.fixture
def deep(film: np.ndarray) -> np.ndarray:
    """A 12-bit picture in 16-bit words."""
    return film.astype(np.uint16) * 16


def test_eight_bits_without_a_window_are_taken_as_they_are(write_dicom: Writer, film: np.ndarray) -> None:
    radiograph = read_image(write_dicom(film))
    assert radiograph.format == "DICOM"
    assert radiograph.note == ""
    assert_allclose(radiograph.pixels, film / 255, atol=1e-7)


def test_deeper_pictures_without_a_window_are_stretched_and_noted(
    write_dicom: Writer, deep: np.ndarray
) -> None:
    radiograph = read_image(write_dicom(deep, BitsStored=12, HighBit=11))
    low, high = int(deep.min()), int(deep.max())
    assert_allclose(radiograph.pixels, (deep - low) / (high - low), atol=1e-6)
    assert "without a window" in radiograph.note


def test_monochrome1_counts_from_white(write_dicom: Writer, film: np.ndarray) -> None:
    radiograph = read_image(write_dicom(film, PhotometricInterpretation="MONOCHROME1"))
    assert_allclose(radiograph.pixels, 1 - film / 255, atol=1e-6)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("slope", [1, 2.5])
def test_the_first_window_is_applied_after_the_rescale(
    write_dicom: Writer, deep: np.ndarray, function: str | None, slope: float
) -> None:
    tags = {"WindowCenter": [2000 * slope, 7], "WindowWidth": [1500 * slope, 9], "RescaleSlope": slope}
    if function:
        tags["VOILUTFunction"] = function
    data = write_dicom(deep, BitsStored=12, HighBit=11, RescaleIntercept=-30, **tags)
    dataset = pydicom.dcmread(BytesIO(data))
    # pydicom's own windowing gives values in the range the stored bits could take after the rescale.
    shown = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    bottom, top = -30.0, 4095 * slope - 30
    assert_allclose(read_image(data).pixels, (shown - bottom) / (top - bottom), atol=2e-4)


def test_windows_match_the_standards_pseudo_code() -> None:
    for centre, width in ((50, 100), (40.5, 1), (2048, 4096)):
        values = np.arange(-200, 4300, 7.5)
        slow = []
        for x in values:
            if x <= centre - 0.5 - (width - 1) / 2:
                slow.append(0.0)
            elif x > centre - 0.5 + (width - 1) / 2:
                slow.append(1.0)
            else:
                slow.append((x - (centre - 0.5)) / (width - 1) + 0.5)
        assert_allclose(window(values, centre, width), slow, atol=1e-12)
    assert_allclose(window(np.array([-1e9, 0, 1e9]), 0, 2, "SIGMOID"), [0, 0.5, 1], atol=1e-12)
    with pytest.raises(ValueError, match="width"):
        window(values, 5, 0.5)


@pytest.mark.parametrize("width", [0, None])
def test_a_window_without_a_width_is_ignored(
    write_dicom: Writer, deep: np.ndarray, width: int | None
) -> None:
    tags = {"WindowCenter": 2000} if width is None else {"WindowCenter": 2000, "WindowWidth": width}
    radiograph = read_image(write_dicom(deep, **tags))
    np.testing.assert_array_equal(radiograph.pixels, read_image(write_dicom(deep)).pixels)
    assert "without a window" in radiograph.note


def test_a_voi_look_up_table_goes_before_a_window(write_dicom: Writer) -> None:
    stored = np.arange(16, dtype=np.uint16).reshape(4, 4)
    table = Dataset()
    table.LUTDescriptor = [16, 0, 16]
    table.LUTData = [value**2 for value in range(16)]
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "US"
    data = write_dicom(stored, VOILUTSequence=[table], WindowCenter=3, WindowWidth=2)
    assert_allclose(read_image(data).pixels, stored.astype(float) ** 2 / 225, atol=1e-6)


def test_signed_values_are_read(write_dicom: Writer) -> None:
    stored = np.linspace(-1000, 1000, 64 * 48).reshape(48, 64).astype(np.int16)
    assert_allclose(read_image(write_dicom(stored)).pixels, (stored + 1000) / 2000, atol=1e-6)


@pytest.mark.parametrize("colours", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_stretch_the_picture(
    write_dicom: Writer, deep: np.ndarray, colours: str
) -> None:
    padded = deep.copy()
    padded[:10] = 65000
    padded[10:12] = 64990
    radiograph = read_image(
        write_dicom(
            padded, PhotometricInterpretation=colours, PixelPaddingValue=65000, PixelPaddingRangeLimit=64990
        )
    )
    assert not radiograph.pixels[:12].any()
    seen = deep[12:].astype(float)
    expected = (seen - seen.min()) / (seen.max() - seen.min())
    assert_allclose(radiograph.pixels[12:], expected if colours == "MONOCHROME2" else 1 - expected, atol=1e-6)


def test_an_overlay_in_the_unused_bits_is_left_out(write_dicom: Writer, deep: np.ndarray) -> None:
    drawn = deep | np.where(np.arange(64) % 7 == 0, 0x8000, 0).astype(np.uint16)
    tags = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2048, "WindowWidth": 4096}
    clean = read_image(write_dicom(deep, **tags)).pixels
    np.testing.assert_array_equal(read_image(write_dicom(drawn, **tags)).pixels, clean)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_lossless_compression_changes_nothing(write_dicom: Writer, deep: np.ndarray, syntax: str) -> None:
    plain = read_image(write_dicom(deep, WindowCenter=2000, WindowWidth=3000))
    packed = read_image(write_dicom(deep, syntax=syntax, WindowCenter=2000, WindowWidth=3000))
    np.testing.assert_array_equal(packed.pixels, plain.pixels)


def test_jpeg_lossless_changes_nothing(write_dicom: Writer, film: np.ndarray) -> None:
    packed = write_dicom(film, syntax=JPEGLosslessSV1, frame=_lossless_jpeg(film))
    assert_allclose(read_image(packed).pixels, film / 255, atol=1e-7)


def test_jpeg_baseline_is_read(write_dicom: Writer, write_image: Writer, film: np.ndarray) -> None:
    frame = write_image(film, "JPEG", quality=95)
    pixels = read_image(write_dicom(film, syntax=JPEGBaseline8Bit, frame=frame)).pixels
    assert_allclose(pixels, read_image(frame).pixels, atol=2 / 255)


@pytest.mark.parametrize("packed", ["MR_small_jpeg_ls_lossless", "MR_small_jp2klossless", "MR_small_RLE"])
def test_pydicoms_own_compressed_files_equal_the_plain_one(packed: str) -> None:
    plain = read_image(own_file("MR_small.dcm"))
    np.testing.assert_array_equal(read_image(own_file(f"{packed}.dcm")).pixels, plain.pixels)


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_is_read_as_luma(write_dicom: Writer, film: np.ndarray, planar: int) -> None:
    colour = np.dstack([film, film // 2, film // 3])
    stored = colour if planar == 0 else np.ascontiguousarray(colour.transpose(2, 0, 1)).reshape(colour.shape)
    radiograph = read_image(write_dicom(stored, PlanarConfiguration=planar))
    assert_allclose(radiograph.pixels, colour @ [0.299, 0.587, 0.114] / 255, atol=1e-6)
    assert "colour" in radiograph.note


def test_a_file_without_preamble_is_read(write_dicom: Writer, film: np.ndarray) -> None:
    np.testing.assert_array_equal(
        read_image(write_dicom(film)[132:]).pixels, read_image(write_dicom(film)).pixels
    )


def test_no_tag_of_the_patient_is_kept(write_dicom: Writer, film: np.ndarray) -> None:
    radiograph = read_image(write_dicom(film))
    kept = [getattr(radiograph, field.name) for field in fields(radiograph) if field.name != "pixels"]
    assert "Doe" not in repr(kept)
    assert "4711" not in repr([part for part in kept if part != radiograph.sha256])


def test_tags_of_the_patient_are_not_even_parsed(write_dicom: Writer, film: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = write_dicom(film, PatientBirthDate="not a date", PatientAge="old")
    assert read_image(data).size == film.shape  # parsing them would warn, quoting them


def test_messages_quote_nothing_from_the_file(write_dicom: Writer, film: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        read_image(write_dicom(film, PhotometricInterpretation="DOE JANE"))
    assert "DOE" not in str(caught.value)


def test_volumes_are_refused(write_dicom: Writer, film: np.ndarray) -> None:
    volume = np.stack([film] * 3).reshape(-1, 64)
    data = write_dicom(volume, Rows=48, NumberOfFrames=3)
    with pytest.raises(
        InputError, match=r"scan\.dcm: expected one radiograph, got a DICOM volume .* 3 frames"
    ):
        read_image(data, name="scan.dcm")


def test_the_size_is_checked_in_both_headers(
    write_dicom: Writer, write_image: Writer, film: np.ndarray
) -> None:
    with pytest.raises(InputError, match="30000×30000"):
        read_image(write_dicom(film, Rows=30_000, Columns=30_000))
    large = write_image(np.zeros((3000, 3000), np.uint8), "JPEG")
    with pytest.raises(InputError, match="at most 1 million pixels"):
        read_image(write_dicom(film, syntax=JPEGBaseline8Bit, frame=large), max_pixels=1_000_000)
    with pytest.raises(InputError, match="differ in size"):
        read_image(write_dicom(film, syntax=JPEGBaseline8Bit, frame=large))
    wavelets = write_image(np.zeros((3000, 3000), np.uint8), "JPEG2000", no_jp2=True)
    with pytest.raises(InputError, match="at most 1 million pixels"):
        read_image(write_dicom(film, syntax=JPEG2000Lossless, frame=wavelets), max_pixels=1_000_000)


def test_damaged_and_unusual_files_are_refused(write_dicom: Writer, film: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected a whole DICOM"):
        read_image(write_dicom(film)[:-1000])
    with pytest.raises(InputError, match="another colour model"):
        read_image(write_dicom(film, PhotometricInterpretation="PALETTE COLOR"))
    with pytest.raises(InputError, match="without pixels"):
        read_image(own_file("test-SR.dcm"))
    with pytest.raises(InputError, match="deflated"):
        read_image(own_file("image_dfl.dcm"))
    assert DeflatedExplicitVRLittleEndian.encode() in own_file("image_dfl.dcm").read_bytes()


def test_a_real_radiograph_survives_the_way_through_dicom(real: Path, write_dicom: Writer) -> None:
    survives(sorted((real / "nih" / "images").glob("*.png"))[0], write_dicom)


def test_a_phantoms_film_survives_the_way_through_dicom(tmp_path: Path, write_dicom: Writer) -> None:
    film = np.rint(render(5, {"Edema": 1.0}, size=96).image * 255).astype(np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    survives(tmp_path / "film.png", write_dicom)


def survives(file: Path, write_dicom: Writer) -> None:
    with Image.open(file) as image:
        grey = np.asarray(image)
    deep = grey.astype(np.uint16) * 16
    tags = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2040.5, "WindowWidth": 4081}
    packed = write_dicom(deep, syntax=JPEG2000Lossless, **tags)
    assert_allclose(read_image(packed).pixels, read_image(file).pixels, atol=1e-6)


def _lossless_jpeg(image: np.ndarray) -> bytes:
    """ISO 10918-1 process 14, selection value 1: differences to the left neighbour, coded by category."""
    height, width = image.shape
    values = image.astype(int)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 128
    bits = []
    for difference in (values - predicted).ravel().tolist():
        category = abs(difference).bit_length()
        bits.append(f"{category:05b}")  # nine codes of five bits each
        if category:
            offset = difference if difference > 0 else difference + 2**category - 1
            bits.append(f"{offset:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = (
        b"\xff\xc3\x00\x0b\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    )
    table = (
        b"\xff\xc4" + (3 + 16 + 9).to_bytes(2, "big") + b"\x00" + bytes([0, 0, 0, 0, 9, *[0] * 11, *range(9)])
    )
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x00\x00"
    return b"".join((b"\xff\xd8", frame, table, scan, data, b"\xff\xd9"))
