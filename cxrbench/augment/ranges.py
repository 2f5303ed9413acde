"""Parameter ranges shared by all augmentations, and their checks."""

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from cxrbench.errors import InputError

__all__ = ["check_widths"]


def check_widths(ranges: Any, *, below_one: Sequence[str] = (), up_to_one: Sequence[str] = ()) -> None:
    """Validate the half-widths in a dataclass of ranges.

    Args:
        ranges: a dataclass of numbers.
        below_one: fields that must be below 1 (a scale of 1 − 1 leaves nothing).
        up_to_one: fields that are probabilities.

    Raises:
        InputError: a field is not a finite number, negative, or too wide; the message names it.
    """
    for field in fields(ranges):
        value = getattr(ranges, field.name)
        title = f"{type(ranges).__name__} {field.name}"
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InputError(f"{title} must be a finite number; got {value!r:.50}.")
        if value < 0:
            raise InputError(f"{title} is a half-width and must be at least 0; got {value}.")
        if field.name in below_one and value >= 1:
            raise InputError(f"{title} must be below 1; got {value}.")
        if field.name in up_to_one and value > 1:
            raise InputError(f"{title} is a probability and must lie in [0, 1]; got {value}.")
