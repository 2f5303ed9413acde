"""The image size that a compressed frame inside a DICOM file declares, which its decoder uses."""

from struct import error, unpack_from
from typing import Final

from pydicom.encaps import get_frame
from pydicom.uid import RLELossless

from cxrbench.data.dicom.header import Header
from cxrbench.data.grey import refuse_size
from cxrbench.errors import InputError

__all__ = ["refuse_codestream"]

# Markers of JPEG (ISO 10918-1, B.1.1.3) and JPEG-LS that are followed by a size.
_START_OF_FRAME: Final = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# Markers without a length: padding, restart, start of image.
_WITHOUT_LENGTH: Final = {0x01, *range(0xD0, 0xD9), 0xFF}


def refuse_codestream(header: Header, name: str, max_pixels: int) -> None:
    """Refuse a compressed picture by its own header, before it is decoded.

    Raises:
        InputError: the compression is unknown, or the picture has no header, is too large, or differs in size
            from the DICOM header.
    """
    syntax = header.syntax
    if not syntax.is_transfer_syntax or (
        syntax.is_compressed
        and syntax != RLELossless
        and not syntax.name.startswith(("JPEG", "High-Throughput"))
    ):
        raise InputError(f"{name}: this DICOM compression is not read; save it uncompressed or as JPEG 2000.")
    if not syntax.is_compressed or syntax == RLELossless:
        return
    try:
        frame = bytes(get_frame(header.pixels, 0, number_of_frames=1))
        width, height = _size(frame)
    except (ValueError, error):
        raise InputError(
            f"{name}: expected a whole DICOM, got one whose compressed picture has no header of its own; "
            "it was damaged on its way: copy or export it again."
        ) from None
    refuse_size(name, width, height, max_pixels)
    if (height, width) != (header.rows, header.columns):
        raise InputError(
            f"{name}: the DICOM's header ({header.columns}×{header.rows}) and its compressed picture "
            f"({width}×{height}) differ in size; export it again."
        )


def _size(frame: bytes) -> tuple[int, int]:
    """Width and height that a JPEG, JPEG-LS or JPEG 2000 picture declares.

    Raises:
        ValueError, struct.error: it declares none before its data begin.
    """
    wavelets = frame.find(b"\xff\x4f\xff\x51")  # start of codestream, then its SIZ segment (ISO 15444-1, A.5)
    if wavelets >= 0 and not frame.startswith(b"\xff\xd8"):
        right, bottom, left, top = unpack_from(">4I", frame, wavelets + 8)
        return right - left, bottom - top
    position = frame.find(b"\xff\xd8") + 2
    while 2 <= position <= len(frame) - 9:
        mark, marker = frame[position], frame[position + 1]
        if mark != 0xFF:
            break
        if marker in _START_OF_FRAME:
            height, width = unpack_from(">HH", frame, position + 5)
            return width, height
        position += 1 if marker == 0xFF else 2
        if marker not in _WITHOUT_LENGTH:
            position += unpack_from(">H", frame, position)[0]
    raise ValueError("no frame header in the compressed picture")
