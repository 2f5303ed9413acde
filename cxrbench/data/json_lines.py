"""Label tables in JSON: one object per line (CheXpert Plus), or one array of objects."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxrbench.errors import InputError

__all__ = ["is_json", "parse"]


def is_json(text: str) -> bool:
    """Whether a text is JSON rather than delimited; no column name begins with a bracket."""
    return text.lstrip()[:1] in ("{", "[")


def parse(text: str, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Parse JSON objects into a table of text, one row per object; "" for null and for missing keys.

    Args:
        text: of the file.
        name: of the file, for messages.
        columns: the columns to keep; all must be present.

    Raises:
        InputError: not JSON, another value than flat objects, a key that occurs twice in one, or no object.
    """
    records = _records(text, name)
    names = list(dict.fromkeys(key for record in records for key in record))
    wanted = list(columns) if columns is not None else names
    missing = [column for column in wanted if column not in names]
    if missing:
        raise InputError(f"{name}: expected the key {missing[0]!r}, got the keys {', '.join(names[:6])}.")
    if not records or not names:
        raise InputError(f"{name}: expected at least one JSON object with labels, got none.")
    rows = [[_text(record.get(column), name) for column in wanted] for record in records]
    return pd.DataFrame(rows, columns=wanted, dtype="str")


def _records(text: str, name: str) -> list[dict[str, Any]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key.strip() for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise InputError(f"{name}: the key {key!r} occurs twice in one JSON object; drop one.")
        return dict(zip(keys, (value for _, value in pairs), strict=True))

    # Numbers are kept as text: an identifier such as 00012 or 1e5 must not change.
    decoder = json.JSONDecoder(object_pairs_hook=unique, parse_int=str, parse_float=str)
    lines = [text] if text.lstrip().startswith("[") else text.splitlines()
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = decoder.decode(line)
        except (ValueError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{name}: expected one JSON object per line, got something else in line {number}; "
                "give a CSV file or JSON lines."
            ) from error
        records += value if isinstance(value, list) else [value]
    if not all(isinstance(record, dict) for record in records):
        raise InputError(f"{name}: expected JSON objects of labels; give a CSV file or JSON lines.")
    return records


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise InputError(f"{name}: expected a label or a text for each key, got {value!r:.60}.")
    return str(value)
