"""The header elements that describe pixels, and no others: no tag that names a patient is parsed."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxrbench.data.dicom.elements import integer, numbers, raw, text
from cxrbench.data.dicom.tables import Table, read_table
from cxrbench.data.grey import refuse_size
from cxrbench.errors import InputError

__all__ = ["Header", "read_header"]

_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_BITS: Final = (1, 8, 16, 32)
_LARGEST: Final = 1e100  # slope or intercept; larger ones overflow in the computation

# The elements that are read.
_TAGS: Final = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)


@dataclass(frozen=True, eq=False)
class Header:
    """The elements that describe a picture; empty ones count as absent.

    Args:
        rows: height in pixels.
        columns: width in pixels.
        colours: the photometric interpretation.
        samples: 1, or 3 of a colour picture.
        planar: 0 where the samples of a pixel are adjacent, 1 where those of a colour plane are.
        allocated: bits allocated per sample: 1, 8, 16 or 32.
        stored: how many of them hold the value.
        high_bit: position of the highest of these, counted from 0.
        signed: whether values are in two's complement.
        padding: the smallest and the largest 16-bit word that mean "outside the film", or None.
        rescale: slope and intercept of the modality transformation.
        modality_tables: look-up tables instead of ``rescale``.
        tables: look-up tables of the values of interest (VOI); None for an unusable one.
        centres: of the windows.
        widths: of the windows.
        function: the VOI LUT function, in capitals; "" where there is none.
        syntax: the transfer syntax.
        pixel_vr: "OB" or "OW".
        pixels: the pixel data as stored in the file.
        notes: what had to be assumed.
    """

    rows: int
    columns: int
    colours: str
    samples: int
    planar: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, int] | None
    rescale: tuple[float, float]
    modality_tables: tuple[Table | None, ...]
    tables: tuple[Table | None, ...]
    centres: tuple[float, ...]
    widths: tuple[float, ...]
    function: str
    syntax: UID
    pixel_vr: str
    pixels: bytes
    notes: tuple[str, ...]


def read_header(data: bytes, name: str, max_pixels: int) -> Header:
    """Parse the elements that describe the pixels, and refuse files other than a single radiograph.

    Raises:
        InputError: one sentence per cause; none quotes the file, whose tags may name a patient.
    """
    if DeflatedExplicitVRLittleEndian.encode() in data:
        # pydicom inflates the file before any size can be read: a few kilobytes could fill the memory.
        raise InputError(f"{name}: a deflated DICOM is not read; save it uncompressed.")
    try:
        dataset = dcmread(BytesIO(data), force=True, specific_tags=list(_TAGS))
        syntax = _syntax(dataset)
    except Exception:
        # pydicom raises any type of exception on damaged input. `from None`: the cause may quote a tag.
        raise InputError(
            f"{name}: expected a whole DICOM, got one whose elements cannot be followed to the end; "
            "it was damaged on its way: copy or export it again."
        ) from None
    _refuse_pictureless(dataset, name)
    refuse_size(name, integer(dataset, "Columns") or 0, integer(dataset, "Rows") or 0, max_pixels)
    return _header(dataset, syntax, name)


def _header(dataset: Dataset, syntax: UID, name: str) -> Header:
    notes: list[str] = []
    colours, samples = _colours(dataset, name)
    allocated, stored, high_bit = _depth(dataset, name)
    representation = integer(dataset, "PixelRepresentation")
    if representation is None:
        notes.append("DICOM that does not say whether its values are signed: read as unsigned")
    planar = integer(dataset, "PlanarConfiguration")
    if planar is None and samples == 3:
        notes.append("DICOM that does not say how its colours lie: read pixel by pixel")
    slope, intercept = numbers(dataset, "RescaleSlope"), numbers(dataset, "RescaleIntercept")
    rescale = (slope[0] if slope else 1.0, intercept[0] if intercept else 0.0)
    if not all(abs(number) < _LARGEST for number in rescale) or rescale[0] == 0:  # NaN is not below it either
        notes.append("DICOM with an unusable rescale (slope 0, or no number to count with): left out")
        rescale = (1.0, 0.0)
    signed = representation == 1
    return Header(
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        colours=colours,
        samples=samples,
        planar=planar or 0,
        allocated=allocated,
        stored=stored,
        high_bit=high_bit,
        signed=signed,
        padding=_padding(dataset),
        rescale=rescale,
        modality_tables=_tables(dataset, "ModalityLUTSequence", signed),
        tables=_tables(dataset, "VOILUTSequence", signed),
        centres=numbers(dataset, "WindowCenter"),
        widths=numbers(dataset, "WindowWidth"),
        function=text(dataset, "VOILUTFunction"),
        syntax=syntax,
        pixel_vr="OB" if raw(dataset, "PixelData").VR == "OB" else "OW",
        pixels=raw(dataset, "PixelData").value,
        notes=tuple(notes),
    )


def _syntax(dataset: Dataset) -> UID:
    if "TransferSyntaxUID" in dataset.file_meta and dataset.file_meta.TransferSyntaxUID:
        return UID(dataset.file_meta.TransferSyntaxUID)
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _refuse_pictureless(dataset: Dataset, name: str) -> None:
    if raw(dataset, "FloatPixelData") is not None or raw(dataset, "DoubleFloatPixelData") is not None:
        raise InputError(
            f"{name}: expected a DICOM of whole numbers, got one of decimal numbers (a parametric map); "
            "export the radiograph itself."
        )
    described = integer(dataset, "Rows") is not None and integer(dataset, "Columns") is not None
    if raw(dataset, "PixelData") is None and described:
        raise InputError(
            f"{name}: expected a DICOM with a picture, got one without pixels, although it describes them; "
            "it was cut short or stripped: export it again."
        )
    if not described:
        raise InputError(
            f"{name}: expected a DICOM with a picture, got one without pixels; export the radiograph itself."
        )
    frames = integer(dataset, "NumberOfFrames") or 1
    if frames != 1:
        raise InputError(
            f"{name}: expected one radiograph, got a DICOM volume or film of {frames} frames; "
            "export the frame you mean."
        )


def _colours(dataset: Dataset, name: str) -> tuple[str, int]:
    colours = text(dataset, "PhotometricInterpretation")
    if not colours:
        raise InputError(
            f"{name}: expected a DICOM that says whether black or white is 0, got one without a photometric "
            "interpretation; export it as MONOCHROME2."
        )
    if colours not in _GREY + _COLOUR:
        raise InputError(
            f"{name}: expected a grey or RGB DICOM, got another colour model; export it as MONOCHROME2."
        )
    expected = 1 if colours in _GREY else 3
    samples = integer(dataset, "SamplesPerPixel")
    if samples not in (None, expected):
        raise InputError(
            f"{name}: expected samples per pixel as the DICOM's colour model has, {expected}, got {samples}; "
            "its header contradicts itself: export it again."
        )
    return colours, expected


def _depth(dataset: Dataset, name: str) -> tuple[int, int, int]:
    """Bits allocated, bits stored, and high bit."""
    allocated = integer(dataset, "BitsAllocated")
    if allocated not in _BITS:
        raise InputError(
            f"{name}: expected a DICOM of 1, 8, 16 or 32 bits allocated per sample, "
            f"got {'none' if allocated is None else allocated}; export it with 16."
        )
    stored = integer(dataset, "BitsStored")
    stored = allocated if stored is None else stored
    if not 1 <= stored <= allocated:
        raise InputError(
            f"{name}: the DICOM's header allocates {allocated} bits per sample and stores {stored}; "
            "it contradicts itself: export it again."
        )
    high_bit = integer(dataset, "HighBit")
    return allocated, stored, stored - 1 if high_bit is None else high_bit


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    return value, value if limit is None else limit


def _tables(dataset: Dataset, keyword: str, signed: bool) -> tuple[Table | None, ...]:
    """The look-up tables of a sequence; None for each unusable one."""
    if raw(dataset, keyword) is None:
        return ()
    try:
        items = list(dataset[keyword].value or ())
    except Exception:  # a damaged sequence raises any type of exception
        return (None,)
    tables = []
    for item in items:
        descriptor, entries = raw(item, "LUTDescriptor"), raw(item, "LUTData")
        tables.append(read_table(descriptor, entries, signed=signed) if descriptor and entries else None)
    return tuple(tables)
