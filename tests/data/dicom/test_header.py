"""Header elements, and the error message for each fault."""

from collections.abc import Callable
from io import BytesIO
from struct import pack, unpack

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.uid import (
    MPEG2MPML,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from cxrbench.data import read_image
from cxrbench.data.images import recognise
from cxrbench.errors import InputError

Writer = Callable[..., bytes]


@pytest.mark.parametrize(
    "tags",
    [
        {"RescaleSlope": 1, "RescaleIntercept": 0},
        {"RescaleSlope": "1.0", "RescaleIntercept": "0.0"},
        {"RescaleSlope": 1},
        {"RescaleIntercept": 0},
    ],
)
def test_an_identity_rescale_changes_nothing(
    write_dicom: Writer, film: np.ndarray, tags: dict[str, float]
) -> None:
    radiograph = read_image(write_dicom(film, **tags))
    assert_allclose(radiograph.pixels, film / 255, atol=1e-7)
    assert radiograph.note == ""


@pytest.mark.parametrize("numbers", [("0", "5"), ("1e308", "0"), ("1", "-1e300"), ("nan", "0"), ("1", "inf")])
def test_an_unusable_rescale_is_ignored_and_noted(
    write_dicom: Writer, film: np.ndarray, numbers: tuple[str, str]
) -> None:
    whole = write_dicom(film, RescaleSlope="1234567", RescaleIntercept="7654321")
    for placeholder, number in zip((b"1234567", b"7654321"), numbers, strict=True):
        whole = whole.replace(placeholder, number.encode().ljust(7))
    radiograph = read_image(whole)
    assert_allclose(radiograph.pixels, film / 255, atol=1e-7)
    assert "unusable rescale" in radiograph.note


EMPTY = (
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "NumberOfFrames", "HighBit", "SamplesPerPixel"),
    *("VOILUTSequence", "ModalityLUTSequence", "PlanarConfiguration", "BitsStored"),
)


@pytest.mark.parametrize("tag", EMPTY)
def test_an_empty_element_counts_as_absent(write_dicom: Writer, film: np.ndarray, tag: str) -> None:
    for stored in (film, film.astype(np.uint16) * 257):
        absent = dcmread(BytesIO(write_dicom(stored)))
        if tag in absent:
            del absent[tag]
        plain = read_image(_saved(absent))
        absent.add_new(tag, dictionary_VR(tag).split(" ")[0], [] if tag.endswith("Sequence") else None)
        emptied = read_image(_saved(absent))
        assert_array_equal(emptied.pixels, plain.pixels)
        assert emptied.note == plain.note


def test_a_missing_pixel_representation_is_read_as_unsigned_and_noted(
    write_dicom: Writer, film: np.ndarray
) -> None:
    radiograph = read_image(write_dicom(film, PixelRepresentation=None))
    assert_allclose(radiograph.pixels, film / 255, atol=1e-7)
    assert "read as unsigned" in radiograph.note


@pytest.mark.parametrize("first", ["Length", "SpecificCharacterSet", "ImageType", "Modality", "Manufacturer"])
@pytest.mark.parametrize("form", ["implicit", "explicit", "big endian"])
def test_a_bare_file_may_begin_with_any_element_of_group_8(
    write_dicom: Writer, film: np.ndarray, first: str, form: str
) -> None:
    tags = {first: "ISO_IR 100" if first == "SpecificCharacterSet" else "DX"} if first != "Length" else {}
    if form == "implicit":
        bare = Dataset()
        bare.update(dcmread(BytesIO(write_dicom(film, **tags))))
        file = BytesIO()
        dcmwrite(file, bare, implicit_vr=True, little_endian=True)
        data = file.getvalue()
    else:
        syntax = ExplicitVRBigEndian if form == "big endian" else ExplicitVRLittleEndian
        data = write_dicom(film, syntax=syntax, **tags)[132:]
        data = data[data.index(b"\0\x08\0" if form == "big endian" else b"\x08\0", 140) :] if tags else data
    if first == "Length":
        order = ">" if form == "big endian" else "<"
        start = data.index(pack(f"{order}H", 0x10) + pack(f"{order}H", 0x10))  # the patient's name
        vr = b"" if form == "implicit" else b"UL"
        length = pack(f"{order}I" if form == "implicit" else f"{order}H", 4)
        data = pack(f"{order}HH", 8, 0) + vr + length + pack(f"{order}I", 0) + data[start:]
    assert data[:2] in (b"\x08\0", b"\0\x08")
    assert recognise(data[:132]) == "DICOM"
    assert_allclose(read_image(data).pixels, film / 255, atol=1e-7)


def test_other_files_that_begin_with_these_bytes_are_not_called_dicom() -> None:
    assert recognise(b"\x08\x00\xff\xff" + bytes(200)) is None
    assert recognise(b"\x02\x00\x00\x00\xff\xff\xff\xff" + bytes(200)) is None
    assert recognise(b"\x08\x00") is None


def test_a_bare_file_may_begin_with_an_unknown_element_of_group_8() -> None:
    unknown = b"\x08\x00\x99\x99\x04\0\0\0text"
    assert recognise(unknown + b"\x10\x00\x10\x00\x04\0\0\0name") == "DICOM"
    assert recognise(unknown + bytes(100)) is None


def test_an_empty_transfer_syntax_counts_as_absent(write_dicom: Writer, film: np.ndarray) -> None:
    data = write_dicom(film)
    start = data.index(b"\x02\x00\x10\x00UI\x14\x00")
    emptied = data[:start] + b"\x02\x00\x10\x00UI\x00\x00" + data[start + 28 :]
    length = data.index(b"\x02\x00\x00\x00UL\x04\x00") + 8
    group = unpack("<I", emptied[length : length + 4])[0]
    emptied = emptied[:length] + pack("<I", group - 20) + emptied[length + 4 :]
    assert_allclose(read_image(emptied).pixels, film / 255, atol=1e-7)


def test_big_endian_films_are_read(write_dicom: Writer, film: np.ndarray) -> None:
    deep = film.astype(np.uint16) * 16
    tags = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2048, "WindowWidth": 4096}
    little, big = (
        read_image(write_dicom(deep, **tags)),
        read_image(write_dicom(deep, syntax=ExplicitVRBigEndian, **tags)),
    )
    assert_array_equal(big.pixels, little.pixels)


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"PhotometricInterpretation": ""}, "without a photometric interpretation; export it as MONOCHROME2"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "another colour model; export it as MONOCHROME2"),
        ({"SamplesPerPixel": 3}, r"samples per pixel as the DICOM's colour model has, 1, got 3"),
        ({"BitsAllocated": 12}, "1, 8, 16 or 32 bits allocated per sample, got 12"),
        ({"BitsAllocated": 64}, "1, 8, 16 or 32 bits allocated per sample, got 64"),
        ({"BitsAllocated": None}, "bits allocated per sample, got none"),
        ({"BitsStored": 12}, "allocates 8 bits per sample and stores 12; it contradicts itself"),
        ({"Rows": 0}, "radiograph with pixels, got one of 64×0"),
        ({"Rows": None}, "without pixels; export the radiograph itself"),
        ({"PixelData": None}, "without pixels, although it describes them; it was cut short or stripped"),
        ({"Columns": 65}, "end after 3,072 of 3,120 bytes"),
        ({"NumberOfFrames": 2}, "volume or film of 2 frames; export the frame you mean"),
        ({"FloatPixelData": b"\0\0\0\0", "PixelData": None}, "decimal numbers .a parametric map."),
    ],
)
def test_each_fault_of_a_header_has_its_own_sentence(
    write_dicom: Writer, film: np.ndarray, tags: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=rf"^film\.dcm: expected .*{sentence}|^film\.dcm: .*{sentence}"):
        read_image(_without(write_dicom(film), tags), name="film.dcm")


def test_each_fault_of_a_compressed_picture_has_its_own_sentence(
    write_dicom: Writer, write_image: Writer, film: np.ndarray
) -> None:
    frame = write_image(film, "JPEG")
    with pytest.raises(InputError, match="compression is not read; save it uncompressed"):
        read_image(write_dicom(film, syntax=MPEG2MPML, frame=frame))
    with pytest.raises(InputError, match="compressed picture has no header of its own"):
        read_image(write_dicom(film, syntax=JPEGBaseline8Bit, frame=b"\xff\xd8nothing"))
    wavelets = write_dicom(film, syntax=JPEG2000Lossless)
    start = wavelets.index(b"\xff\x4f\xff\x51")
    with pytest.raises(InputError, match="picture cannot be decoded; it was damaged"):
        read_image(wavelets[: start + 60] + bytes(len(wavelets) - start - 80) + wavelets[-20:])
    with pytest.raises(InputError, match=r"header \(64×40\) and its compressed picture \(64×48\) differ"):
        read_image(write_dicom(film, syntax=JPEGBaseline8Bit, frame=frame, Rows=40))


def test_elements_without_an_end_have_their_own_sentence(write_dicom: Writer, film: np.ndarray) -> None:
    data = write_dicom(film)
    where = data.index(b"\x28\x00\x10\x00US")
    with pytest.raises(InputError, match=r"cannot be followed to the end|without pixels"):
        read_image(data[:where] + b"\x28\x00\x10\x00OB\0\0\xff\xff\xff\x7f" + data[where:])


def _without(data: bytes, tags: dict[str, object]) -> bytes:
    """The file with other tags, None to remove one; values are not validated."""
    dataset = dcmread(BytesIO(data))
    for tag, value in tags.items():
        if value is None:
            delattr(dataset, tag)
        elif tag == "FloatPixelData":
            dataset.add_new("FloatPixelData", "OF", value)
        else:
            setattr(dataset, tag, value)
    return _saved(dataset)


def _saved(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()
