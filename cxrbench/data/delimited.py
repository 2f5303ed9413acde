"""Bytes of a CSV file → columns of text: no types guessed, no rows shifted, nothing renamed."""

import codecs
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from cxrbench.errors import InputError

__all__ = ["MAX_BYTES", "UTF16", "check_names", "header", "parse", "text_of"]

MAX_BYTES: Final = 1 << 30  # of text, unpacked; PadChest's table, reports and all, takes a tenth of it

_SEPARATORS: Final = (",", ";", "\t", "|")  # where several fit, the first
_HEAD: Final = 1 << 20  # characters in which the header ends
_BLANK_LINES: Final = re.compile(r"\A(?:[ \t]*[\r\n])+")
UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY: Final = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PAR1", "a Parquet file"),
)


@dataclass(frozen=True)
class _Layout:
    """Layout of a file: its separator and the names of its columns, "" for a column without one."""

    separator: str
    names: tuple[str, ...]

    @property
    def needed(self) -> int:
        """Least number of cells in a row: unnamed columns at the end may be missing."""
        return max(index for index, name in enumerate(self.names) if name) + 1


def text_of(data: bytes, name: str) -> str:
    """Unpack a file (gzip, or a ZIP archive of one file) and decode its text (UTF-8 or UTF-16).

    Raises:
        InputError: empty, damaged, too large, not text, or in another encoding.
    """
    data = _unpacked(data, name)
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: holds more than {MAX_BYTES >> 20} MiB of text; give fewer rows.")
    kind = next((kind for start, kind in _BINARY if data.startswith(start)), None)
    if kind:
        raise InputError(f"{name}: expected a CSV file with labels, got {kind}; export the table as CSV.")
    text = _decoded(data, name)
    if not text.strip():
        raise InputError(f"{name}: expected a CSV file with labels, got an empty file.")
    if "\0" in text:
        raise InputError(
            f"{name}: expected a CSV file with labels, got bytes that are no text; export the table as CSV."
        )
    return text


def parse(text: str, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Parse delimited text into a table of text, "" for empty cells; separators are ``,`` ``;`` tab or ``|``.

    Args:
        text: of the file, its first line the header. Columns without a name are left out.
        name: of the file, for messages.
        columns: the columns to keep; all must be present.

    Raises:
        InputError: a column occurs twice or is missing, a row is longer or shorter than the header (which
            shifts its cells into other columns), a quotation mark is never closed, or there is no row.
    """
    layout = _layout(text, name)
    check_names(layout.names, name)
    wanted = list(columns) if columns is not None else [column for column in layout.names if column]
    missing = [column for column in wanted if column not in layout.names]
    if missing:
        raise InputError(
            f"{name}: expected the column {missing[0]!r}, got the columns {', '.join(layout.names[:6])}."
        )
    table = _parsed_by_arrow(text, layout, wanted)
    if table is None:
        rows = list(_rows(text, layout, name))
        table = pd.DataFrame(rows, columns=range(len(layout.names)), dtype="str")
        table = table[[layout.names.index(column) for column in wanted]].set_axis(wanted, axis=1)
    if table.empty:
        raise InputError(f"{name}: expected at least one row under the CSV's header, got none.")
    return table


def header(text: str, name: str) -> tuple[str, ...]:
    """Names of the columns of delimited text, "" for a column without one.

    Args:
        text: of the file, or its beginning.
        name: of the file, for messages.

    Raises:
        InputError: the first line cannot be read.
    """
    return _layout(text, name).names


def check_names(names: Sequence[str], name: str) -> None:
    """Refuse column names that are not unique.

    Raises:
        InputError: none has a name, or one occurs twice.
    """
    seen: set[str] = set()
    for column in names:
        if column and column in seen:
            raise InputError(
                f"{name}: the column {column!r} occurs {names.count(column)} times; drop all but one."
            )
        seen.add(column)
    if not any(names):
        raise InputError(f"{name}: expected a CSV file with labels, got a first line without column names.")


def _layout(text: str, name: str) -> _Layout:
    head = text[:_HEAD]
    headers = {separator: _first_record(head, separator, name) for separator in _SEPARATORS}
    separator = max(_SEPARATORS, key=lambda entry: len(headers[entry]))  # the first of equals
    return _Layout(separator, tuple(cell.strip() for cell in headers[separator]))


def _first_record(head: str, separator: str, name: str) -> list[str]:
    try:
        records = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        return next((record for record in records if not _is_blank(record)), [])
    except csv.Error as error:
        raise InputError(f"{name}: the CSV's header cannot be read ({error}); correct the file.") from error


def _parsed_by_arrow(text: str, layout: _Layout, columns: Sequence[str]) -> pd.DataFrame | None:
    """Parse with Arrow, on all cores; None where a row has another number of cells than the header."""
    if text.count('"') % 2:
        return None  # perhaps one is never closed, which Arrow would accept up to the end of the file
    numbers = [str(index) for index in range(len(layout.names))]
    kept = [numbers[layout.names.index(column)] for column in columns]
    options = {
        "read_options": arrow_csv.ReadOptions(column_names=numbers, skip_rows_after_names=1),
        "parse_options": arrow_csv.ParseOptions(delimiter=layout.separator, newlines_in_values='"' in text),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(kept, pa.large_string()),
            include_columns=kept,
            strings_can_be_null=False,
        ),
    }
    try:
        # Arrow would count blank lines above the header as rows.
        table = arrow_csv.read_csv(io.BytesIO(_BLANK_LINES.sub("", text, count=1).encode()), **options)
    except pa.ArrowException:
        return None
    frame: pd.DataFrame = table.rename_columns(list(columns)).to_pandas()
    return frame


def _rows(text: str, layout: _Layout, name: str) -> Iterator[list[str]]:
    """Yield the rows below the header, padded to its width; refuse the first that does not fit."""
    width = len(layout.names)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.separator, strict=True)
    header, line = True, 1
    try:
        for row in reader:
            line = reader.line_num + 1  # where the next row begins
            if header or _is_blank(row):
                header = header and _is_blank(row)
                continue
            if not layout.needed <= len(row) <= width:
                raise InputError(_ragged(name, reader.line_num, row, width))
            yield row + [""] * (width - len(row))
    except csv.Error as error:
        cause = "a quotation mark is never closed" if "end of data" in str(error) else str(error)
        raise InputError(f"{name}: line {line} is no CSV ({cause}); correct the file.") from error


def _is_blank(row: Sequence[str]) -> bool:
    """Whether a line is empty or holds only spaces."""
    return len(row) < 2 and not "".join(row).strip()


def _ragged(name: str, line: int, row: list[str], width: int) -> str:
    if len(row) < width:
        cause = "entries are missing, or the file was cut"
    else:
        cause = "an entry with a comma needs quotes" if any(row[width:]) else "a comma too many at its end"
    return (
        f"{name}: line {line} has {len(row)} entries, but the header names {width} columns ({cause}); "
        "correct the file, since its entries may stand in the wrong columns."
    )


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(data)) as file:
                return file.read(MAX_BYTES + 1)
        if data.startswith(b"PK\x03\x04"):
            return _only_member(data, name)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{name}: the packed file cannot be read ({error}); pack it again.") from error
    return data


def _only_member(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [entry for entry in archive.namelist() if not entry.endswith("/")]
        if "[Content_Types].xml" in members:
            raise InputError(f"{name}: expected a CSV file, got an Excel workbook; save it as CSV UTF-8.")
        if len(members) != 1:
            raise InputError(f"{name}: expected a ZIP archive of one CSV file, got {len(members)} files.")
        with archive.open(members[0]) as file:
            return file.read(MAX_BYTES + 1)


def _decoded(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith(UTF16) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}: expected text in UTF-8, got the byte 0x{data[error.start]:02x} in line {line}; "
            "save the table as CSV UTF-8."
        ) from error
