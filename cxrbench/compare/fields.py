"""Fields of JSON objects: each kind of value with its check and its description for error messages."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

from cxrbench.compare.comparison import FILM_VIEWS
from cxrbench.errors import InputError
from cxrbench.preprocess import Box, Preprocessing

__all__ = [
    "Kind",
    "box",
    "flag",
    "flags",
    "fraction",
    "number_or_nan",
    "numbers",
    "preprocessing",
    "remarks",
    "rows",
    "take",
    "text",
    "text_or_none",
    "texts",
    "truth",
    "view",
    "whole",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_MAX_TEXT: Final = 2000  # enough for all notes on reading a film together
_MAX_LABELS: Final = 1000


@dataclass(frozen=True)
class Kind(Generic[T_co]):
    """A kind of JSON value; called with a value, it returns the checked value.

    Args:
        expected: description of such a value, which follows "must be" in error messages.
        read: value → checked value; raises ``TypeError`` or ``ValueError`` if it is invalid.
    """

    expected: str
    read: Callable[[object], T_co]

    def __call__(self, value: object) -> T_co:
        """The checked value."""
        return self.read(value)


def take(record: object, key: str, read: Kind[T], *, default: T | None = None) -> T:
    """Read and check ``record[key]``; ``default`` is for keys that old formats lack.

    Raises:
        InputError: the key is missing, or its value is invalid; the message names the key and what is valid.
    """
    if not isinstance(record, Mapping):
        raise InputError(f"A JSON object with {key!r} was expected; got {type(record).__name__}.")
    if key not in record and default is not None:
        return default
    if key not in record:
        raise InputError(f"{key!r} is missing; save the file again with this version.")
    try:
        return read(record[key])
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{key!r} must be {read.expected}; got {str(record[key])[:60]!r}.") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise ValueError(value)
    return value


def _view(value: object) -> str:
    if value not in ("", *FILM_VIEWS):
        raise ValueError(value)
    return str(value)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LABELS or len({*map(_text, value)}) < len(value):
        raise ValueError(value)
    return tuple(value)


def _remarks(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return tuple(map(_text, value))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000:
        raise ValueError(value)
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _flags(value: object) -> np.ndarray:
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return np.array([_flag(item) for item in value], bool)


def _number_or_nan(value: object) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _fraction(value: object) -> float:
    number = _number_or_nan(value)
    if not 0 <= number <= 1:
        raise ValueError(value)
    return number


def _numbers(value: object) -> np.ndarray:
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return np.array([_number_or_nan(item) for item in value], np.float32)


def _rows(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return value


def _truth(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    if any(isinstance(present, bool) or present not in (0, 1) for present in value.values()):
        raise ValueError(value)
    return {_text(finding): int(present) for finding, present in value.items()}


def _preprocessing(value: object) -> Preprocessing:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    for key, item in value.items():
        _text(key)
        sides = item if key == "size" and isinstance(item, list) else [item]  # of a rectangle, two
        for side in sides:
            if not isinstance(side, str):
                _number_or_nan(side)
    return Preprocessing.from_dict(value)


def _box(value: object) -> Box | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(value)
    top, left, bottom, right = map(_whole, value)
    if top >= bottom or left >= right:
        raise ValueError(value)
    return top, left, bottom, right


text: Final = Kind("a short printable text", _text)
view: Final = Kind("PA, AP, Lateral or an empty text", _view)
text_or_none: Final = Kind("a short printable text or null", _text_or_none)
texts: Final = Kind("a list of different short texts", _texts)
remarks: Final = Kind("a list of short texts", _remarks)
whole: Final = Kind("a whole number from 0 to 10,000", _whole)
flag: Final = Kind("true or false", _flag)
flags: Final = Kind("a list of true and false", _flags)
number_or_nan: Final = Kind("a finite number or null", _number_or_nan)
fraction: Final = Kind("a number between 0 and 1", _fraction)
numbers: Final = Kind("a list of numbers or nulls", _numbers)
rows: Final = Kind("a list of at most 1,000 entries", _rows)
truth: Final = Kind("an object of findings, each 1 or 0", _truth)
preprocessing: Final = Kind("an object of preprocessing settings", _preprocessing)
box: Final = Kind("four whole numbers (top, left, bottom, right) or null", _box)
