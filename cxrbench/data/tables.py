"""Label files → columns; everything that can be wrong with a CSV, said in one sentence."""

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from cxrbench.errors import InputError

__all__ = ["label_column", "read_csv", "table_name", "text_column", "translated"]

# Where at least so many rows share a word, words are looked at instead of rows.
_FEW = 8
_BEGINNING = 4096


def table_name(source: Path | str | IO[bytes]) -> str:
    """How messages call a label file."""
    return Path(source).name if isinstance(source, (str, Path)) else Path(getattr(source, "name", "CSV")).name


def read_csv(source: Path | str | IO[bytes], *, columns: list[str] | None = None) -> pd.DataFrame:
    """A label file with at least one row.

    Args:
        source: a path (a ``.gz`` or ``.zip`` of one CSV will do) or an open binary file.
        columns: read these only; all must be there.

    Raises:
        InputError: missing, a folder, not text, not a table, without rows or without one of the columns.
    """
    name = table_name(source)
    try:
        table = _read_plain(source) if columns is None else None
        if table is None:
            table = pd.read_csv(source, encoding="utf-8-sig", low_memory=False, usecols=columns)
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such CSV file; check the path.") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{name}: expected a CSV file with labels, got an empty file.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: the CSV file cannot be read ({error}); check the path.") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(
            f"{name}: expected a CSV file with labels, got something else ({_first_line(error)})."
        ) from error
    if table.empty:
        raise InputError(f"{name}: expected at least one row under the CSV's header, got none.")
    return table.rename(columns=lambda column: str(column).strip())


def label_column(values: pd.Series, name: str) -> np.ndarray:
    """Labels as written → (N,) float64 of 1, 0, −1 and NaN.

    Raises:
        InputError: another value; the sentence names its row (1: the first below the header) and its column.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    blank = np.isnan(numbers)
    wrong = ~((numbers == 1) | (numbers == 0) | (numbers == -1) | blank)
    if values.dtype.kind not in "fiu":  # what was text may have been no number, and then it is not blank
        wrong |= blank & values.notna().to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{name}: expected 1, 0, -1 or nothing for a label, "
            f"got {values.iloc[row]!r} in row {row + 1}, column {values.name!r}; correct the file."
        )
    return numbers


def text_column(table: pd.DataFrame, column: str, values: Mapping[str, str] | None = None) -> pd.Series:
    """A column as text; "" for what is missing, or not among ``values`` (whose keys are in small letters)."""
    if column not in table:
        return pd.Series("", index=table.index, dtype="str")
    # The same few words over and over, as far as the beginning tells: each is looked at once.
    beginning = table[column].iloc[:_BEGINNING]
    if beginning.nunique() < len(beginning) / _FEW:
        codes, found = pd.factorize(table[column])
        words = pd.Series(found).astype("str").str.strip()
        words = translated(words.str.casefold(), values) if values is not None else words
        return _spelled(codes, words, table.index)
    text = table[column].astype("str").where(table[column].notna(), "").str.strip()
    return translated(text.str.casefold(), values) if values is not None else text


def translated(text: pd.Series, values: Mapping[str, str]) -> pd.Series:
    """Each text's value, "" where it has none. (Series.map would turn to floats where no text has one.)"""
    codes, found = pd.factorize(text)
    return _spelled(codes, [values.get(entry, "") for entry in found], text.index)


def _spelled(codes: np.ndarray, words: Sequence[str] | pd.Series, index: pd.Index) -> pd.Series:
    """Texts from the numbers of their words; −1 is "", what is missing."""
    known = pa.array([*words, ""], pa.string())
    places = pa.array(np.where(codes < 0, len(known) - 1, codes))
    text = pa.DictionaryArray.from_arrays(places, known).cast(pa.string()).to_pandas()
    return text.astype("str").set_axis(index)


def _read_plain(source: Path | str | IO[bytes]) -> pd.DataFrame | None:
    """An ordinary table by Arrow's parser, on all cores; None for whatever pandas might read otherwise."""
    if isinstance(source, (str, Path)):
        if Path(source).suffix not in (".csv", ".gz"):
            return None
        data = Path(source).read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    else:
        start = source.tell()
        data = source.read()
        source.seek(start)
    options = arrow_csv.ConvertOptions(strings_can_be_null=True)
    try:
        table = arrow_csv.read_csv(io.BytesIO(data), convert_options=options)
    except pa.ArrowException:
        return None
    names = table.column_names
    plain = (pa.types.is_int64, pa.types.is_float64, pa.types.is_string, pa.types.is_null)
    if len(set(names)) < len(names) or "" in names or not table.num_rows:
        return None
    if not all(any(is_type(column.type) for is_type in plain) for column in table.columns):
        return None  # what looks like a date, say
    nothing = [i for i, column in enumerate(table.columns) if pa.types.is_null(column.type)]
    for index in nothing:
        table = table.set_column(index, names[index], table.column(index).cast(pa.float64()))
    return table.to_pandas()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
