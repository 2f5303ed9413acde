"""Label files → columns; everything that can be wrong with a CSV, said in one sentence."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from cxrbench.errors import InputError

__all__ = ["label_column", "read_csv", "table_name", "text_column", "translated"]


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
    wrong = np.where(np.isnan(numbers), values.notna().to_numpy(), ~np.isin(numbers, (1, 0, -1)))
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
    text = table[column].astype("str").where(table[column].notna(), "").str.strip()
    return translated(text.str.casefold(), values) if values is not None else text


def translated(text: pd.Series, values: Mapping[str, str]) -> pd.Series:
    """Each text's value, "" where it has none. (Series.map would turn to floats where no text has one.)"""
    return pd.Series([values.get(entry, "") for entry in text], index=text.index, dtype="str")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
