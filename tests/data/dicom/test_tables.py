"""Look-up tables in all the encodings that writers use."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from cxrbench.data import read_image
from cxrbench.errors import InputError

Writer = Callable[..., bytes]

RAMP = np.linspace(0, 4095, 48 * 64).round().astype(np.uint16).reshape(48, 64)
TWELVE = {"BitsStored": 12, "HighBit": 11}


def table(
    entries: Sequence[int] | bytes, first: int, bits: int, *, count: int, vr: str = "OW", sign: str = "US"
) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", sign, [count % 2**16, first, bits])
    item.add_new("LUTData", vr, entries if isinstance(entries, bytes) else list(entries))
    return item


def curve(bits: int, count: int = 4096) -> np.ndarray:
    """A brightening table, from 0 to the highest value of ``bits``."""
    levels: np.ndarray = np.sqrt(np.arange(count) / (count - 1)) * (2**bits - 1)
    return levels.round().astype(np.int64)


def expected(bits: int) -> np.ndarray:
    pixels: np.ndarray = curve(bits)[RAMP] / (2**bits - 1)
    return pixels


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_entries_of_16_bits_follow_the_files_byte_order(write_dicom: Writer, bits: int, syntax: str) -> None:
    order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
    for vr, entries in (("OW", curve(bits).astype(order).tobytes()), ("US", curve(bits).tolist())):
        item = table(entries, 0, bits, count=4096, vr=vr)
        radiograph = read_image(write_dicom(RAMP, syntax=syntax, VOILUTSequence=[item], **TWELVE))
        assert_allclose(radiograph.pixels, expected(bits), atol=1e-6)
        assert radiograph.note == ""


def test_entries_of_8_bits_may_lie_one_in_each_byte(write_dicom: Writer) -> None:
    packed = curve(8).astype(np.uint8).tobytes()
    words = np.frombuffer(packed, "<u2")
    cases = {
        "OW": (ExplicitVRLittleEndian, packed),
        "OB": (ExplicitVRLittleEndian, packed),
        "US": (ExplicitVRLittleEndian, words.tolist()),
    }
    for vr, (syntax, entries) in cases.items():
        item = table(entries, 0, 8, count=4096, vr=vr)
        pixels = read_image(write_dicom(RAMP, syntax=syntax, VOILUTSequence=[item], **TWELVE)).pixels
        assert_allclose(pixels, expected(8), atol=1e-6)
    swapped = table(words.astype(">u2").tobytes(), 0, 8, count=4096)
    data = write_dicom(RAMP, syntax=ExplicitVRBigEndian, VOILUTSequence=[swapped], **TWELVE)
    assert_allclose(read_image(data).pixels, expected(8), atol=1e-6)


def test_an_odd_number_of_packed_entries_is_padded_by_one_byte(write_dicom: Writer) -> None:
    entries = curve(8, 255).astype(np.uint8)
    item = table(entries.tobytes() + b"\0", 0, 8, count=255)
    stored = (RAMP // 17).astype(np.uint8)
    pixels = read_image(write_dicom(stored, VOILUTSequence=[item])).pixels
    assert_allclose(pixels, entries[np.minimum(stored, 254)] / 255, atol=1e-6)


@pytest.mark.parametrize("sign", ["US", "SS"])
def test_the_first_mapped_value_may_be_written_with_the_other_sign(write_dicom: Writer, sign: str) -> None:
    signed = RAMP.astype(np.int16) - 2048
    for bits_stored in (12, 16):
        first = 63488 if sign == "US" else -2048
        item = table(range(4096), first, 12, count=4096, vr="US", sign=sign)
        data = write_dicom(signed, VOILUTSequence=[item], BitsStored=bits_stored, HighBit=bits_stored - 1)
        assert_allclose(read_image(data).pixels, RAMP / 4095, atol=1e-6)
    high = RAMP + np.uint16(40000)
    item = table(range(4096), 40000 - (2**16 if sign == "SS" else 0), 12, count=4096, vr="US", sign=sign)
    assert_allclose(read_image(write_dicom(high, VOILUTSequence=[item])).pixels, RAMP / 4095, atol=1e-6)


def test_no_entries_means_65536(write_dicom: Writer) -> None:
    stored = (RAMP.astype(np.uint32) * 16).astype(np.uint16)
    item = table(np.arange(2**16, dtype="<u2").tobytes(), 0, 16, count=2**16)
    assert_allclose(read_image(write_dicom(stored, VOILUTSequence=[item])).pixels, stored / 65535, atol=1e-6)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_modality_table_of_any_depth_is_applied(write_dicom: Writer, bits: int) -> None:
    item = table(curve(bits).tolist(), 0, bits, count=4096, vr="US")
    radiograph = read_image(write_dicom(RAMP, ModalityLUTSequence=[item], **TWELVE))
    assert_allclose(radiograph.pixels, expected(bits), atol=1e-6)
    assert "without a window" in radiograph.note
    half = 2.0 ** (bits - 1)
    window = {"WindowCenter": half, "WindowWidth": 2 * half}
    windowed = read_image(write_dicom(RAMP, ModalityLUTSequence=[item], **TWELVE, **window))
    assert_allclose(windowed.pixels, expected(bits), atol=1e-6)


def test_the_highest_entry_is_white_and_that_is_noted(write_dicom: Writer) -> None:
    item = table(curve(12).tolist(), 0, 16, count=4096, vr="US")
    radiograph = read_image(write_dicom(RAMP, VOILUTSequence=[item], **TWELVE))
    assert_allclose(radiograph.pixels, expected(12), atol=1e-6)
    assert "ends at 4095, not at 65535" in radiograph.note


def test_a_table_that_covers_little_of_the_film_is_noted(write_dicom: Writer) -> None:
    item = table(curve(12, 1000).tolist(), 0, 12, count=1000, vr="US")
    assert (
        "look-up table cuts off 76% of the film"
        in read_image(write_dicom(RAMP, VOILUTSequence=[item], **TWELVE)).note
    )


def test_a_table_with_too_few_entries_is_ignored_or_refused(write_dicom: Writer) -> None:
    short = table(list(range(100)), 0, 12, count=4096, vr="US")
    whole = table(curve(12).tolist(), 0, 12, count=4096, vr="US")
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    second = read_image(write_dicom(RAMP, VOILUTSequence=[short, whole], **TWELVE))
    assert_allclose(second.pixels, expected(12), atol=1e-6)
    windowed = read_image(write_dicom(RAMP, VOILUTSequence=[short], **TWELVE, **window))
    assert_allclose(windowed.pixels, RAMP / 4095, atol=1e-6)
    assert "fewer entries than it declares" in windowed.note
    with pytest.raises(InputError, match="modality look-up table"):
        read_image(write_dicom(RAMP, ModalityLUTSequence=[short], **TWELVE, **window))


def test_an_empty_sequence_counts_as_absent(write_dicom: Writer) -> None:
    plain = read_image(write_dicom(RAMP, **TWELVE))
    empty = read_image(write_dicom(RAMP, VOILUTSequence=[], ModalityLUTSequence=[], **TWELVE))
    assert_array_equal(empty.pixels, plain.pixels)
    assert empty.note == plain.note
