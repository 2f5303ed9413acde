"""The columns of a label table, from its first bytes: nothing below the header is read."""

import gzip
import json
import zipfile
import zlib
from pathlib import Path
from typing import Final

from cxrbench.data import delimited, json_lines
from cxrbench.errors import InputError

__all__ = ["read_header"]

_HEAD: Final = 1 << 16  # bytes, unpacked


def read_header(path: Path) -> tuple[str, ...]:
    """Names of a table's columns, stripped; of JSON lines, the keys of the first object.

    Args:
        path: a table as `cxrbench.data.tables.read_csv` reads: delimited text or JSON, may be packed.

    Returns:
        The names; none where the file cannot be read, or is no table.
    """
    try:
        data = _head(path)
        encoding = "utf-16" if data.startswith(delimited.UTF16) else "utf-8-sig"
        text = data.decode(encoding, errors="ignore")  # the last character may be cut
        if "\0" in text:
            return ()
        if json_lines.is_json(text):
            return _keys(text)
        return tuple(name for name in delimited.header(text, path.name) if name)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return ()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_HEAD)
    if data.startswith(b"\x1f\x8b"):
        with gzip.open(path) as file:
            return file.read(_HEAD)
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            members = [entry for entry in archive.namelist() if not entry.endswith("/")]
            if len(members) != 1:
                raise InputError(f"{path.name}: expected a ZIP archive of one file.")
            with archive.open(members[0]) as member:
                return member.read(_HEAD)
    return data


def _keys(text: str) -> tuple[str, ...]:
    value, _ = json.JSONDecoder().raw_decode(text.lstrip().removeprefix("[").lstrip())
    return tuple(str(key).strip() for key in value) if isinstance(value, dict) else ()
