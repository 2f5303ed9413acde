"""File types by their first bytes; names and extensions are ignored."""

from struct import unpack_from
from typing import Final

from pydicom.datadict import dictionary_has_tag

__all__ = ["HEAD_BYTES", "describe", "recognise"]

HEAD_BYTES: Final = 132  # of a file, which suffice to recognise it

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)

# Files that users give by mistake: first bytes, description, remedy.
_TO_PNG: Final = "convert it to PNG first"
_UNPACK: Final = "unpack it and give the picture inside"
_OTHER_FORMATS: Final = (
    (b"GIF8", "a GIF", _TO_PNG),
    (b"BM", "a BMP", _TO_PNG),
    (b"%PDF", "a PDF", "export the radiograph in it as PNG"),
    (b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an XZ archive", _UNPACK),
    (b"\x5c\x01\x00\x00", "a NIfTI volume", "export one slice of it as PNG"),
    (b"\x00\x00\x01\x5c", "a NIfTI volume", "export one slice of it as PNG"),
    (b"NRRD", "a NRRD volume", "export one slice of it as PNG"),
    (b"\x89HDF", "an HDF5 file", "export the radiograph in it as PNG"),
    (b"\x93NUMPY", "a NumPy array", "give it to the library, or save it as PNG"),
    (b"\x80\x04", "a Python pickle", _TO_PNG),
    (b"8BPS", "a Photoshop file", _TO_PNG),
    (b"\x00\x00\x01\x00", "an icon", _TO_PNG),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", _TO_PNG),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _TO_PNG),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _TO_PNG),
    (b"\xff\x0a", "a JPEG XL picture", _TO_PNG),
    (b"\xd0\xcf\x11\xe0", "an Office document", "export the radiograph in it as PNG"),
)
# ISO media: the brand after "ftyp" names the format.
_BRANDS: Final = {
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "a HEIC picture"),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1"), "a HEIF picture"),
}
_GROUPS: Final = (0x02, 0x08, 0x10, 0x18, 0x20, 0x28)  # groups of DICOM elements at the start of files
_WEB: Final = (b"<!doctype html", b"<html", b"<head", b"<body")


def recognise(data: bytes) -> str | None:
    """Format of a file by its first 132 bytes: "PNG", "JPEG", "TIFF", "DICOM", or None."""
    if data[128:132] == b"DICM":
        return "DICOM"
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    return "DICOM" if _is_bare_dicom(data) else None


def describe(data: bytes) -> str:
    """What an unsupported file is, with the remedy, as the end of a sentence."""
    if not data:
        return "an empty file; export or upload it again"
    for signature, kind, remedy in _OTHER_FORMATS:
        if data.startswith(signature):
            return f"{kind}; {remedy}"
    if data[:4] == b"RIFF":
        return f"a WebP picture; {_TO_PNG}" if data[8:12] == b"WEBP" else f"a sound or film (RIFF); {_TO_PNG}"
    if data[4:8] == b"ftyp":
        return f"{_BRANDS.get(data[8:12], 'a film (MP4)')}; {_TO_PNG}"
    head = data[:512]
    if head.lstrip().lower().startswith(_WEB):
        return "a web page; download the picture itself"
    if b"\x00" not in head and _is_text(head):
        return "a text file; give the picture itself"
    return "something else (its first bytes match none of them); check that it is the right file"


def _is_bare_dicom(data: bytes) -> bool:
    """Whether a file without preamble begins with an element of group 2 or 8 (PS3.5, 7.1).

    The element's number is arbitrary. With an explicit VR two capitals follow. Without one, its length must
    be short and its number known, or a later element of a known group must follow: otherwise any file that
    begins with these bytes would count as DICOM.
    """
    if len(data) < 8:
        return False
    for order in "<>":
        group, element, length = unpack_from(f"{order}HHI", data)
        if group not in (2, 8):
            continue
        if data[4:6].isalpha() and data[4:6].isupper():
            return True
        if order == "<" and length < 2**16:
            known = element == 0 or dictionary_has_tag((group << 16) | element)
            after = unpack_from("<HH", data, 8 + length) if 12 + length <= len(data) else (0, 0)
            if known or ((group, element) < after and after[0] in _GROUPS and length % 2 == 0):
                return True
    return False


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) == 512  # a letter cut in two at the end
    return True
