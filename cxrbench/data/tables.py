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

# Where at least so many rows share a word, words are looked at instead of rows.
_FEW: Final = 8
_BEGINNING: Final = 4096
_TABLES: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".json", ".jsonl")
_SHOWN: Final = 8  # names in a message
# What programs write for a value that is not there.
_NOTHING: Final = frozenset(("", "na", "n/a", "nan", "<na>", "none", "null"))
_LABELS: Final = {"true": 1.0, "false": 0.0}


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a label table, not of an image."""
    return path.name.casefold().endswith(_TABLES)


def table_name(source: Path | str | IO[bytes]) -> str:
    """How messages call a label file."""
    return Path(source).name if isinstance(source, (str, Path)) else Path(getattr(source, "name", "CSV")).name


def read_csv(source: Path | str | IO[bytes], *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A label file with at least one row, every column as text: ``00012`` stays apart from ``12``.

    Commas, semicolons, tabs or bars between the columns; UTF-8, or UTF-16 with its mark; plain, gzip, or a
    ZIP archive of one file; or JSON, one object per line (CheXpert Plus).

    Args:
        source: a path or an open binary file.
        columns: read these only; all must be there.

    Returns:
        Columns by their names without spaces around them; "" for what is empty.

    Raises:
        InputError: missing, a folder, not text, not a table, a column that occurs twice, a row of another
            length than the header, no row, or one of the columns is missing.
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
    """The column that has one of these names (in small letters), whatever its case; None if there is none.

    Raises:
        InputError: two have.
    """
    found = [column for column in table.columns if column.strip().casefold() in names]
    if len(found) > 1:
        raise InputError(f"{file}: {found[0]!r} and {found[1]!r} are the same column; drop one.")
    return found[0] if found else None


def label_columns(columns: Sequence[str], known: Sequence[str], file: str) -> dict[str, str]:
    """Label → its column, for columns that name a known finding in any spelling; in the order of ``known``.

    Raises:
        InputError: two columns name the same finding.
    """
    by_key = {finding_key(label): label for label in known}
    found: dict[str, str] = {}
    for column in columns:
        label = by_key.get(finding_key(column))
        if label in found:
            raise InputError(
                f"{file}: expected one column for {label}, got {found[label]!r} and {column!r}; drop one."
            )
        if label:
            found[label] = column
    return {label: found[label] for label in known if label in found}


def left_out(columns: Sequence[str], why: str) -> str:
    """A sentence on columns that were not read, with the finding that each may have meant; "" for none."""
    if not columns:
        return ""
    named = [_with_guess(column) for column in columns[:_SHOWN]]
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"left out, {why}: {', '.join(named)}{more}"


def _with_guess(column: str) -> str:
    guess = closest_finding(column)
    return f"{column!r} (did you mean {guess!r}?)" if guess and guess != canonical(column) else repr(column)


def label_column(values: pd.Series, name: str) -> np.ndarray:
    """Labels as written → (N,) float64 of 1, 0, −1 and NaN.

    Raises:
        InputError: another value; the sentence names its row (1: the first below the header) and its column.
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
    """1, 0, −1, or NaN for nothing; None for whatever is no label."""
    text = word.strip().casefold()
    if text in _NOTHING:
        return np.nan
    try:
        value = _LABELS[text] if text in _LABELS else float(text)
    except ValueError:
        return None
    return value if value in (1, 0, -1) else None


def number_column(table: pd.DataFrame, column: str | None) -> np.ndarray:
    """A column as numbers (N,) float64; NaN where it holds none, or where there is no such column."""
    if column is None or column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)


def text_column(
    table: pd.DataFrame, column: str | None, values: Mapping[str, str] | None = None
) -> pd.Series:
    """A column as text; "" for what is missing, or not among ``values`` (whose keys are in small letters)."""
    if column is None or column not in table:
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
    text: pd.Series = pa.DictionaryArray.from_arrays(places, known).cast(pa.string()).to_pandas()
    return text.astype("str").set_axis(index)
