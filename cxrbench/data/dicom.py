"""DICOM → the grey picture a viewer would show; nothing but pixels leaves this module."""

from io import BytesIO
from struct import unpack_from
from typing import Any, Final

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.multival import MultiValue
from pydicom.pixels import apply_modality_lut, apply_voi, pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from cxrbench.data.grey import from_colour, refuse_size
from cxrbench.errors import InputError

__all__ = ["decode_dicom", "window"]

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

# All that is read of a file: no tag that names a patient is so much as parsed.
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
    "PixelData",
)

# JPEG's markers that carry a size (ISO 10918-1, B.1.1.3), and JPEG-LS's.
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def decode_dicom(data: bytes, name: str, max_pixels: int) -> tuple[np.ndarray, str]:
    """A DICOM file → grey picture, in the order of the standard's grey pipeline (PS3.4, N.2).

    1. Stored values: decoded, whatever the transfer syntax. Values in the padding range are set aside.
    2. Modality: slope · value + intercept, or the modality look-up table.
    3. Values of interest: the look-up table if there is one, else the first window (see `window`). Without
       either (a width of 0 is none), 8-bit pictures are taken as they are (value / 255), deeper ones from
       minimum to maximum.
    4. MONOCHROME1 counts from white: 1 − x. Padding is black.

    Error messages quote nothing from the file: its tags may name a patient.

    Args:
        data: the whole file, with or without its preamble.
        name: how messages call it.
        max_pixels: the size above which it is refused before decoding.

    Returns:
        (H, W) float32 in [0, 1], and a note on anything worth telling the user.

    Raises:
        InputError: no picture in it, several frames, colour by palette, unknown compression, too large,
            or damaged.
    """
    try:
        if DeflatedExplicitVRLittleEndian.encode() in data:
            # Inflating happens before any size can be read: a few kilobytes could fill the memory.
            raise InputError(f"{name}: a deflated DICOM is not read; save it uncompressed.")
        dataset = dcmread(BytesIO(data), force=True, specific_tags=list(_TAGS))
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit = dataset.original_encoding[0]
            dataset.file_meta.TransferSyntaxUID = (
                ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
            )
        _refuse_header(dataset, name, max_pixels)
        _refuse_codestream(dataset, name, max_pixels)
        stored = pixel_array(dataset)
        if dataset.SamplesPerPixel == 3:
            return from_colour(_to_bytes(stored))
        return _grey(dataset, stored)
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{name}: the DICOM is too large for this machine; scale it down.") from None
    except Exception:
        # The boundary to a decoder: damaged input raises whatever it likes. `from None`, and no text of the
        # cause: it may quote a tag.
        raise InputError(
            f"{name}: expected a whole DICOM radiograph, got a damaged or unusual one; export it again."
        ) from None


def window(values: np.ndarray, centre: float, width: float, function: str = "LINEAR") -> np.ndarray:
    """Values → [0, 1] through a window (PS3.3, C.11.2.1.2 and C.11.2.1.3).

    LINEAR: (x − (c − ½)) / (w − 1) + ½; LINEAR_EXACT: (x − c) / w + ½, both cut off at 0 and 1;
    SIGMOID: 1 / (1 + exp(−4 (x − c) / w)).

    Args:
        values: after the modality transformation, any shape.
        centre: c, the value shown as middle grey.
        width: w, above 0 (LINEAR: at least 1, where it is a step).
        function: the VOI LUT function.

    Returns:
        float64 of the same shape.
    """
    if width < 1 if function == "LINEAR" else width <= 0:
        raise ValueError(f"window width must be positive (at least 1 if LINEAR); got {width}")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def _refuse_header(dataset: Dataset, name: str, max_pixels: int) -> None:
    if "PixelData" not in dataset or "Rows" not in dataset or "Columns" not in dataset:
        raise InputError(
            f"{name}: expected a DICOM with a picture, got one without pixels; export the radiograph itself."
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise InputError(
            f"{name}: expected one radiograph, got a DICOM volume or film of {frames} frames; "
            "export the frame you mean."
        )
    colours = str(dataset.get("PhotometricInterpretation", ""))
    if colours not in _GREY + _COLOUR:
        raise InputError(
            f"{name}: expected a grey or RGB DICOM, got another colour model; export it as MONOCHROME2."
        )
    refuse_size(name, int(dataset.Columns), int(dataset.Rows), max_pixels)


def _refuse_codestream(dataset: Dataset, name: str, max_pixels: int) -> None:
    """The compressed picture has a header of its own, and the decoder believes that one."""
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if not syntax.is_compressed or syntax == RLELossless:
        return
    if not syntax.name.startswith(("JPEG", "High-Throughput")):
        raise InputError(f"{name}: this DICOM compression is not read; save it uncompressed or as JPEG 2000.")
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    width, height = _codestream_size(bytes(frame))
    refuse_size(name, width, height, max_pixels)
    if (height, width) != (dataset.Rows, dataset.Columns):
        raise InputError(
            f"{name}: the DICOM's header and its compressed picture differ in size; export it again."
        )


def _codestream_size(frame: bytes) -> tuple[int, int]:
    """Width and height that a JPEG, JPEG-LS or JPEG 2000 picture declares.

    Raises:
        ValueError: it declares none before its data begin.
    """
    wavelets = frame.find(b"\xff\x4f\xff\x51")  # start of codestream, then its SIZ segment (ISO 15444-1, A.5)
    if wavelets >= 0:
        right, bottom, left, top = unpack_from(">4I", frame, wavelets + 8)
        return right - left, bottom - top
    position = 2
    while position + 9 <= len(frame):
        marker, length = unpack_from(">xBH", frame, position)
        if marker in _START_OF_FRAME:
            height, width = unpack_from(">HH", frame, position + 5)
            return width, height
        position += 2 + length
    raise ValueError("no frame header in the compressed picture")


def _grey(dataset: Dataset, stored: np.ndarray) -> tuple[np.ndarray, str]:
    """Steps 1 to 4 of `decode_dicom` for stored values (H, W)."""
    padding = _padding(dataset, stored)
    bits = int(dataset.BitsStored)
    if not dataset.PixelRepresentation and bits < 8 * stored.itemsize:
        stored = stored & (2**bits - 1)  # older files keep an overlay in the bits above
    pixels, note = _values_of_interest(dataset, stored, padding)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        pixels = 1 - pixels
    return np.where(padding, 0, pixels).astype(np.float32), note


def _values_of_interest(dataset: Dataset, stored: np.ndarray, padding: np.ndarray) -> tuple[np.ndarray, str]:
    """Steps 2 and 3 of `decode_dicom`: (H, W) float64 in [0, 1], and a note."""
    values = np.asarray(apply_modality_lut(stored, dataset))
    if dataset.get("VOILUTSequence"):
        # By the table's own highest entry: the depth its descriptor states is often not the one it uses.
        table = np.asarray(apply_voi(values, dataset), np.float64)
        return table / max(int(np.max(_entries(dataset))), 1), ""
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
        return window(values.astype(np.float64), centre, width, function), ""
    # pydicom hands the same array back where the file holds no modality transformation.
    if values is stored and int(dataset.BitsStored) <= 8 and not dataset.PixelRepresentation:
        return values / (2.0 ** int(dataset.BitsStored) - 1), ""
    seen = values[~padding].astype(np.float64)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    note = "DICOM without a window: stretched from minimum to maximum"
    if high <= low:
        return np.zeros(values.shape), note
    return np.clip((values - low) / (high - low), 0, 1), note


def _entries(dataset: Dataset) -> np.ndarray:
    """What the VOI look-up table holds; its VR is bytes or 16-bit words, by the writer's choice."""
    data = dataset.VOILUTSequence[0].LUTData
    return np.frombuffer(data, np.uint16) if isinstance(data, bytes) else np.atleast_1d(data)


def _padding(dataset: Dataset, stored: np.ndarray) -> np.ndarray:
    """Where stored values mean "outside the film" (PS3.3, C.7.5.1.1.2), (H, W) bool."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(limit)))
    return (stored >= low) & (stored <= high)


def _first(value: Any) -> float | None:
    """A window may have several alternatives; viewers show the first. None where there is none."""
    alternatives = value if isinstance(value, MultiValue) else [value]
    return float(alternatives[0]) if len(alternatives) and alternatives[0] not in (None, "") else None


def _to_bytes(colour: np.ndarray) -> np.ndarray:
    """Colour of any depth → 8 bits a channel."""
    if colour.dtype == np.uint8:
        return colour
    return (colour.astype(np.float64) * 255 / max(int(colour.max()), 1)).round().astype(np.uint8)
