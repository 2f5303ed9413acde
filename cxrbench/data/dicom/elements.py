"""Elements of a DICOM file: empty ones count as absent, odd ones raise no warning.

pydicom's own conversion warns or raises where a value violates the standard, and quotes the value.
"""

import math
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

__all__ = ["integer", "numbers", "raw", "text"]


def raw(dataset: Dataset, keyword: str) -> Any:
    """An element as stored in the file; None where it is absent or empty."""
    tag = tag_for_keyword(keyword)
    try:
        element = dataset.get_item(tag) if tag is not None and tag in dataset else None
    except Exception:  # converting an element that pydicom could not read raises any type of exception
        return None
    return element if element is not None and element.value not in (None, b"", "") else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """First integer of an element, stored in binary or as text; None where there is none."""
    element = raw(dataset, keyword)
    if element is None or not isinstance(element.value, bytes):
        return None
    if keyword == "NumberOfFrames" or element.VR in ("IS", "DS"):
        values = numbers(dataset, keyword)
        return int(values[0]) if values and math.isfinite(values[0]) else None
    width = 4 if element.VR in ("UL", "SL") else 2
    if len(element.value) < width:
        return None
    order = "<" if element.is_little_endian else ">"
    kind = "i" if element.VR in ("SS", "SL") else "u"
    return int(np.frombuffer(element.value, f"{order}{kind}{width}", count=1)[0])


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Decimal numbers stored as text; NaN for other text, () where the element is absent or empty."""
    value = text(dataset, keyword)
    return tuple(_number(part) for part in value.split("\\")) if value else ()


def _number(part: str) -> float:
    try:
        return float(part)
    except ValueError:
        return math.nan


def text(dataset: Dataset, keyword: str) -> str:
    """Text of an element in capitals; "" where it is absent or empty."""
    element = raw(dataset, keyword)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return element.value.decode("ascii", "replace").strip(" \0").upper()
