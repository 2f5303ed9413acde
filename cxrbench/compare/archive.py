"""ZIP and NPZ files from untrusted sources, read with every size checked."""

import io
import zipfile
from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np

from cxrbench.errors import InputError

__all__ = ["MAX_BYTES", "read_arrays", "read_members", "write_arrays", "write_members"]

MAX_BYTES: Final = 256 * 2**20  # of a bundle, unpacked: enough for five models, 18 findings, 512² maps
_MAX_MEMBERS: Final = 4096
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER_BYTES: Final = 4096
_DTYPES: Final = ("float32", "float16", "int8", "bool")


def read_members(source: BinaryIO, what: str, *, cap: int = MAX_BYTES) -> dict[str, bytes]:
    """All members of a ZIP, by name, in memory; nothing is ever written to disk.

    The sizes that the ZIP directory declares are checked before anything is unpacked; unpacking stops at the
    declared size, so that a wrong directory cannot exceed the limit.

    Args:
        source: the open file.
        what: name of the file in error messages.
        cap: maximum size of all members together, unpacked, in bytes.

    Raises:
        InputError: the file is not a ZIP, damaged, encrypted or too large, or a member's name is a path.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            _check_directory(entries, what, cap)
            return {entry.filename: _read(archive, entry) for entry in entries}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and struct raise many types on damaged files
        raise InputError(f"{what} is damaged or not a ZIP file: {error}; save it again.") from error


def read_arrays(data: bytes, what: str, *, cap: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file: numbers only, each of exactly the size that its header states.

    Raises:
        InputError: as in ``read_members``; an array of objects, of another dtype, or of the wrong size.
    """
    arrays = {}
    for name, member in read_members(io.BytesIO(data), what, cap=cap).items():
        arrays[name.removesuffix(".npy")] = _array(member, f"{what}: {name}")
    return arrays


def write_members(members: Mapping[str, bytes]) -> bytes:
    """The bytes of a ZIP file of these members; equal members give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            # A fixed date: the time of saving would change the bytes.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if _is_packed(name) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=9)
    return buffer.getvalue()


def write_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a deflated NPZ file of these arrays; equal arrays give equal bytes."""
    members = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    return write_members(members)


def _is_packed(name: str) -> bool:
    return name.endswith((".npz", ".png"))


def _check_directory(entries: list[zipfile.ZipInfo], what: str, cap: int) -> None:
    if len(entries) > _MAX_MEMBERS:
        raise InputError(
            f"{what} holds {len(entries)} files, more than {_MAX_MEMBERS}; it was not saved by cxrbench."
        )
    total = sum(entry.file_size for entry in entries)
    if total > cap:
        raise InputError(
            f"{what} would unpack to {total / 2**20:,.0f} MiB, more than the {cap / 2**20:,.0f} MiB allowed; "
            "save fewer models or methods in one bundle."
        )
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise InputError(f"{what} holds two files of one name; it was not saved by cxrbench.")
    for entry in entries:
        if "/" in entry.filename or "\\" in entry.filename or entry.filename.startswith("."):
            raise InputError(
                f"{what} holds a path, {entry.filename[:80]!r}, where a plain name was expected; it was not "
                "saved by cxrbench."
            )
        if entry.flag_bits & 1 or entry.compress_type not in _COMPRESSIONS:
            raise InputError(f"{what} is encrypted or uses an unusual compression; save it again, deflated.")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as member:
        data = member.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise zipfile.BadZipFile(f"{entry.filename} is shorter or longer than declared")
    return data


def _array(member: bytes, what: str) -> np.ndarray:
    stream = io.BytesIO(member)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"format {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER_BYTES)
    except Exception as error:  # the header is a Python literal: SyntaxError, TypeError, ValueError …
        raise InputError(f"{what} is not a plain NumPy array ({error}); save the bundle again.") from error
    if dtype.name not in _DTYPES or fortran or not dtype.isnative:
        raise InputError(
            f"{what} must be a plain C-ordered array of {', '.join(_DTYPES)}; got {dtype.name[:40]}."
        )
    expected = dtype.itemsize * int(np.prod(shape, dtype=object))
    if min(shape, default=1) < 0 or expected != len(member) - stream.tell():
        raise InputError(f"{what} declares the shape {shape} but has another size; save the bundle again.")
    return np.frombuffer(member, dtype, offset=stream.tell()).reshape(shape)
