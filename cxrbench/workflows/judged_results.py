"""Stored results of ``cxrbench judge``: read and checked, written compactly."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxrbench.errors import InputError
from cxrbench.writing import draft

__all__ = ["COLUMNS", "read_judged", "write_judged"]

# Columns that say what was judged, and the numbers.
_KEYS: Final = ("model", "film", "patient", "method", "finding", "criterion")
_NUMBERS: Final = ("value", "best")
COLUMNS: Final = (*_KEYS, *_NUMBERS)

_MOST_ROWS: Final = 50_000_000  # about a gigabyte in memory
_REMEDY: Final = "open a judged.parquet as `cxrbench judge` writes it"


def read_judged(source: Path | bytes, name: str) -> pd.DataFrame:
    """Read judged maps from a Parquet file.

    Args:
        source: the file, or its content.
        name: of the file, for messages.

    Returns:
        The columns of ``COLUMNS``, one row per model, film, method, finding and criterion: names as
        categories of strings, numbers as float32. Other columns are left out.

    Raises:
        InputError: not such a file; the message says what is wrong with it.
    """
    stream = pa.py_buffer(source) if isinstance(source, bytes) else str(source)
    try:
        file = pq.ParquetFile(stream)
        _check_columns(file.schema_arrow, name)
        if not 0 < file.metadata.num_rows <= _MOST_ROWS:
            raise InputError(
                f"{name} has {file.metadata.num_rows:,} rows, and between 1 and {_MOST_ROWS:,} can be read; "
                "judge at least one film, or open a part of the rows."
            )
        table = pq.ParquetFile(stream, read_dictionary=list(_KEYS)).read(columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is no readable Parquet file ({_first_line(error)}); {_REMEDY}.") from error
    columns = {key: _names(table.column(key), key, name) for key in _KEYS}
    columns |= {key: table.column(key).cast(pa.float32()) for key in _NUMBERS}
    read: pd.DataFrame = pa.table(columns).to_pandas()
    return read


def write_judged(path: Path, table: pd.DataFrame) -> None:
    """Write judged maps in little space: sorted, names as dictionaries, values to 11 significant bits.

    A value then differs from the original by less than 1 in 2,000, far less than any interval is wide.

    Args:
        path: of the Parquet file.
        table: with the columns of ``COLUMNS``, as from ``judge`` or ``read_judged``.
    """
    ordered = table[list(COLUMNS)].astype(dict.fromkeys(_KEYS, str))
    ordered = ordered.sort_values(["criterion", "model", "film", "finding", "method"])
    columns = {key: pa.array(ordered[key]).dictionary_encode() for key in _KEYS}
    columns |= {key: pa.array(_rounded(ordered[key].to_numpy(np.float32))) for key in _NUMBERS}
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as temporary:
        pq.write_table(
            pa.table(columns),
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=[*_KEYS, "best"],
            column_encoding={"value": "BYTE_STREAM_SPLIT"},
            row_group_size=len(ordered),
        )


def _rounded(values: np.ndarray) -> np.ndarray:
    """Float32 with the mantissa rounded to 11 bits, which compresses well; NaN and infinity stay."""
    mantissa, exponent = np.frexp(values)
    rounded: np.ndarray = np.ldexp(np.rint(mantissa * 2048) / 2048, exponent).astype(np.float32)
    return rounded


def _check_columns(schema: pa.Schema, name: str) -> None:
    if missing := [column for column in COLUMNS if column not in schema.names]:
        raise InputError(f"{name} has no column {', '.join(missing)}; {_REMEDY}.")
    for column in _NUMBERS:
        kind = schema.field(column).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise InputError(f"The column {column} of {name} must hold numbers; got {kind}; {_REMEDY}.")


def _names(column: pa.ChunkedArray, key: str, name: str) -> pa.ChunkedArray:
    """A column of names as one dictionary of strings."""
    if column.null_count:
        raise InputError(f"{name} has {column.null_count:,} rows without a {key}; fill them, or remove them.")
    if pa.types.is_dictionary(column.type):
        if pa.types.is_string(column.type.value_type):
            return column.unify_dictionaries()
        column = column.cast(column.type.value_type)
    return pc.dictionary_encode(column.cast(pa.string())).unify_dictionaries()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
