"""Label files → columns of text, labels and numbers, with one clear error per fault."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from cxrbench.data import delimited, json_lines
from cxrbench.errors import InputError
from cxrbench.labels import canonical, closest_finding, finding_key

__all__ = [
    "find_column",
    "is_table",
    "label_column",
    "label_columns",
    "left_out",
    "number_column",
    "read_csv",
    "table_name",
    "text_column",
    "translated",
]

# Above this many rows per distinct text, each distinct text is processed once instead of every row.
_ROWS_PER_TEXT: Final = 8
_SAMPLE_ROWS: Final = 4096  # in which distinct texts are counted
_TABLES: Final = (".csv", ".csv.gz", ".csv.zip", ".tsv", ".tsv.gz", ".json", ".jsonl")
_SHOWN: Final = 8  # names in a message
# What programs write for a missing value.
_NOTHING: Final = frozenset(("", "na", "n/a", "nan", "<na>", "none", "null"))
_LABELS: Final = {"true": 1.0, "false": 0.0}


def is_table(path: Path) -> bool:
    """Whether a file has the suffix of a label table, not of an image."""
    return path.name.casefold().endswith(_TABLES)


def table_name(source: Path | str | IO[bytes]) -> str:
    """Name of a label file in messages."""
    return Path(source).name if isinstance(source, (str, Path)) else Path(getattr(source, "name", "CSV")).name


def read_csv(source: Path | str | IO[bytes], *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a label file with at least one row, every column as text: ``00012`` and ``12`` differ.

    Columns separated by commas, semicolons, tabs or bars; UTF-8, or UTF-16 with a byte order mark; plain,
    gzip, or a ZIP archive of one file; or JSON, one object per line (CheXpert Plus).

    Args:
        source: a path or an open binary file.
        columns: the columns to read; all must be present.

    Returns:
        The table; column names are stripped, empty cells are "".

    Raises:
        InputError: the file is missing, a folder, not text, or not a table; a column occurs twice or is
            missing; a row has another length than the header; or there is no row.
    """
    name = table_name(source)
    try:
        data = Path(source).read_bytes() if isinstance(source, (str, Path)) else source.read()
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such CSV file; check the path.") from error
    except OSError as error:
        raise InputError(f"{name}: the CSV file cannot be read ({error}); check the path.") from error
    text = delimited.text_of(data, name)
    parse = json_lines.parse if json_lines.is_json(text) else delimited.parse
    return parse(text, name, columns)


def find_column(table: pd.DataFrame, names: Collection[str], file: str) -> str | None:
    """The column with one of these lower-case names, regardless of case; None if there is none.

    Raises:
        InputError: there are two.
    """
    columns = [column for column in table.columns if column.strip().casefold() in names]
    if len(columns) > 1:
        raise InputError(f"{file}: {columns[0]!r} and {columns[1]!r} are the same column; drop one.")
    return columns[0] if columns else None


def label_columns(columns: Sequence[str], known: Sequence[str], file: str) -> dict[str, str]:
    """Map each known label, in the order of ``known``, to the column that names it in any spelling.

    Raises:
        InputError: two columns name the same finding.
    """
    by_key = {finding_key(label): label for label in known}
    column_of: dict[str, str] = {}
    for column in columns:
        label = by_key.get(finding_key(column))
        if label in column_of:
            raise InputError(
                f"{file}: expected one column for {label}, got {column_of[label]!r} and {column!r}; drop one."
            )
        if label:
            column_of[label] = column
    return {label: column_of[label] for label in known if label in column_of}


def left_out(columns: Sequence[str], why: str) -> str:
    """A note on columns that were not read, with the finding each may stand for; "" if there are none."""
    if not columns:
        return ""
    named = [_with_guess(column) for column in columns[:_SHOWN]]
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"left out, {why}: {', '.join(named)}{more}"


def _with_guess(column: str) -> str:
    guess = closest_finding(column)
    return f"{column!r} (did you mean {guess!r}?)" if guess and guess != canonical(column) else repr(column)


def label_column(values: pd.Series, name: str) -> np.ndarray:
    """Labels (N,) float64 of 1, 0, −1 and NaN from their text.

    Raises:
        InputError: another value; the message names its row (1: the first below the header) and its column.
    """
    codes, words = pd.factorize(values, use_na_sentinel=False)
    known = [_label(str(word)) for word in words]
    wrong = np.array([label is None for label in known], bool)[codes]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{name}: expected 1, 0, -1 or nothing for a label, "
            f"got {values.iloc[row]!r} in row {row + 1}, column {values.name!r}; correct the file."
        )
    return np.array(known, np.float64)[codes]


def _label(word: str) -> float | None:
    """1, 0, −1, or NaN for a missing value; None for anything else."""
    text = word.strip().casefold()
    if text in _NOTHING:
        return np.nan
    try:
        value = _LABELS[text] if text in _LABELS else float(text)
    except ValueError:
        return None
    return value if value in (1, 0, -1) else None


def number_column(table: pd.DataFrame, column: str | None) -> np.ndarray:
    """A column as numbers (N,) float64; NaN for other values, or where there is no such column."""
    if column is None or column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)


def text_column(
    table: pd.DataFrame, column: str | None, values: Mapping[str, str] | None = None
) -> pd.Series:
    """A column as text; "" for a missing value, or one not among ``values`` (whose keys are lower case)."""
    if column is None or column not in table:
        return pd.Series("", index=table.index, dtype="str")
    # If the first rows repeat a few texts, each distinct text is processed once.
    sample = table[column].iloc[:_SAMPLE_ROWS]
    if sample.nunique() < len(sample) / _ROWS_PER_TEXT:
        codes, distinct = pd.factorize(table[column])
        texts = pd.Series(distinct).astype("str").str.strip()
        texts = translated(texts.str.casefold(), values) if values is not None else texts
        return _from_codes(codes, texts, table.index)
    text = table[column].astype("str").where(table[column].notna(), "").str.strip()
    return translated(text.str.casefold(), values) if values is not None else text


def translated(text: pd.Series, values: Mapping[str, str]) -> pd.Series:
    """Value of each text, "" where it has none. (Series.map would return floats if no text had one.)"""
    codes, distinct = pd.factorize(text)
    return _from_codes(codes, [values.get(entry, "") for entry in distinct], text.index)


def _from_codes(codes: np.ndarray, texts: Sequence[str] | pd.Series, index: pd.Index) -> pd.Series:
    """Texts by their codes; −1, a missing value, becomes ""."""
    dictionary = pa.array([*texts, ""], pa.string())
    indices = pa.array(np.where(codes < 0, len(dictionary) - 1, codes))
    text: pd.Series = pa.DictionaryArray.from_arrays(indices, dictionary).cast(pa.string()).to_pandas()
    return text.astype("str").set_axis(index)
