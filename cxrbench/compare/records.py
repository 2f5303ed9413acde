"""Comparisons as plain JSON values, and back, with every field checked."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import numpy as np

from cxrbench.compare.comparison import FILM_VIEWS, HeatMaps, Prediction, Settings
from cxrbench.errors import InputError
from cxrbench.preprocess import Box, Preprocessing

__all__ = [
    "as_list",
    "heat_maps_record",
    "prediction_record",
    "read_heat_maps",
    "read_prediction",
    "read_settings",
    "rows",
    "settings_record",
    "take",
    "text",
    "texts",
    "truth",
    "view",
    "whole",
]

T = TypeVar("T")
_MAX_TEXT: Final = 2000  # every note that a reader of films can make, at once
_MAX_LABELS: Final = 1000


def settings_record(settings: Settings) -> dict[str, Any]:
    """What was asked, as JSON values."""
    return {
        "models": list(settings.models),
        "methods": list(settings.methods),
        "stage": settings.stage,
        "baseline": settings.baseline,
        "steps": settings.steps,
    }


def read_settings(record: object) -> Settings:
    """``settings_record`` undone.

    Raises:
        InputError: something is missing or of the wrong kind.
    """
    return Settings(
        models=take(record, "models", texts),
        methods=take(record, "methods", texts),
        stage=take(record, "stage", whole),
        baseline=take(record, "baseline", text),
        steps=take(record, "steps", whole),
    )


def prediction_record(prediction: Prediction) -> dict[str, Any]:
    """What a model said, as JSON values."""
    return {
        "model": prediction.model,
        "title": prediction.title,
        "revision": prediction.revision,
        "labels": list(prediction.labels),
        "logits": as_list(prediction.logits),
        "scores": as_list(prediction.scores),
        "thresholds": as_list(prediction.thresholds),
        "seconds": _number_or_null(prediction.seconds),
    }


def read_prediction(record: object) -> Prediction:
    """``prediction_record`` undone.

    Raises:
        InputError: something is missing, of the wrong kind, or not one number per label.
    """
    labels = take(record, "labels", texts)
    vectors = {key: take(record, key, numbers) for key in ("logits", "scores", "thresholds")}
    for key, vector in vectors.items():
        if len(vector) != len(labels) or not np.isfinite(vector).all():
            raise InputError(
                f"{key!r} must hold one finite number per label ({len(labels)}); got {len(vector)}."
            )
    if ((vectors["scores"] < 0) | (vectors["scores"] > 1)).any():
        raise InputError("'scores' must lie between 0 and 1; save the file again.")
    return Prediction(
        model=take(record, "model", text),
        title=take(record, "title", text, default=""),
        revision=take(record, "revision", text),
        labels=labels,
        seconds=take(record, "seconds", number_or_nan),
        **vectors,
    )


def heat_maps_record(heat: HeatMaps) -> dict[str, Any]:
    """Everything about heat maps but the maps themselves, as JSON values."""
    return {
        "model": heat.model,
        "method": heat.method,
        "title": heat.title,
        "stage": heat.stage,
        "labels": list(heat.labels),
        "preprocessing": heat.preprocessing.as_dict(),
        "seconds": _number_or_null(heat.seconds),
        "progress": heat.progress,
        "completeness": as_list(heat.completeness),
        "stable": [bool(stable) for stable in heat.stable],
        "problem": heat.problem,
        "signed": heat.signed,
        "remarks": list(heat.remarks),
        "box": None if heat.box is None else list(heat.box),
    }


def read_heat_maps(record: object, maps: np.ndarray) -> HeatMaps:
    """``heat_maps_record`` undone, with the maps (L, h, w) that belong to it.

    Raises:
        InputError: something is missing, of the wrong kind, or there is not one finite map per label.
    """
    labels, problem = take(record, "labels", texts), take(record, "problem", text_or_none)
    count = 0 if problem is not None else len(labels)
    if maps.ndim != 3 or len(maps) != count or not np.isfinite(maps).all():
        raise InputError(
            f"Maps must be {count} finite grids, one per label; got an array of shape {maps.shape}."
        )
    completeness = take(record, "completeness", numbers)
    preprocessing = take(record, "preprocessing", _preprocessing)
    # Files from before films were cropped name no box, and need none.
    box = take(record, "box", _box) if isinstance(record, Mapping) and "box" in record else None
    if box is None and preprocessing.crop != "none" and problem is None:
        raise InputError("'box' must say which part of the film was cropped to; save the file again.")
    if len(completeness) not in (0, len(labels)):
        raise InputError(f"'completeness' must hold one number per label or none; got {len(completeness)}.")
    # Older files do not say which maps are stable either.
    known = isinstance(record, Mapping) and "stable" in record
    stable = take(record, "stable", flags) if known else np.empty(0, bool)
    if len(stable) not in (0, len(labels)):
        raise InputError(f"'stable' must hold one flag per label or none; got {len(stable)}.")
    return HeatMaps(
        model=take(record, "model", text),
        method=take(record, "method", text),
        stage=take(record, "stage", text_or_none),
        labels=labels,
        maps=maps,
        preprocessing=preprocessing,
        seconds=take(record, "seconds", number_or_nan),
        progress=take(record, "progress", fraction),
        completeness=completeness,
        stable=stable,
        problem=problem,
        title=take(record, "title", text),
        signed=take(record, "signed", flag),
        remarks=take(record, "remarks", texts),
        box=box,
    )


def take(record: object, key: str, read: Callable[[object], T], *, default: T | None = None) -> T:
    """``record[key]``, read by one of the readers below; ``default`` where files of old formats lack the key.

    Raises:
        InputError: it is not there, or the reader refuses it; the sentence names the key and what it must be.
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
        expected = (read.__doc__ or read.__name__).split("\n")[0].rstrip(".")
        expected = expected[0].lower() + expected[1:]
        raise InputError(f"{key!r} must be {expected}; got {str(record[key])[:60]!r}.") from error


def as_list(vector: np.ndarray) -> list[float | None]:
    """A vector as JSON numbers, NaN as null; floats come back bit for bit."""
    return [_number_or_null(float(value)) for value in vector]


def text(value: object) -> str:
    """A short printable text."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise ValueError(value)
    return value


def view(value: object) -> str:
    """PA, AP, Lateral or an empty text."""
    if value not in ("", *FILM_VIEWS):
        raise ValueError(value)
    return str(value)


def text_or_none(value: object) -> str | None:
    """A short printable text or null."""
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of different short texts."""
    if not isinstance(value, list) or len(value) > _MAX_LABELS or len({*map(text, value)}) < len(value):
        raise ValueError(value)
    return tuple(value)


def whole(value: object) -> int:
    """A whole number from 0 to 10,000."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000:
        raise ValueError(value)
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def flags(value: object) -> np.ndarray:
    """A list of true and false."""
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return np.array([flag(item) for item in value], bool)


def number_or_nan(value: object) -> float:
    """A finite number or null."""
    if value is None:
        return math.nan
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def fraction(value: object) -> float:
    """A number between 0 and 1."""
    number = number_or_nan(value)
    if not 0 <= number <= 1:
        raise ValueError(value)
    return number


def numbers(value: object) -> np.ndarray:
    """A list of numbers or nulls."""
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return np.array([number_or_nan(item) for item in value], np.float32)


def rows(value: object) -> list[object]:
    """A list of at most 1,000 entries."""
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    return value


def truth(value: object) -> dict[str, int]:
    """An object of findings, each 1 or 0."""
    if not isinstance(value, Mapping) or len(value) > _MAX_LABELS:
        raise ValueError(value)
    if any(isinstance(present, bool) or present not in (0, 1) for present in value.values()):
        raise ValueError(value)
    return {text(finding): int(present) for finding, present in value.items()}


def _preprocessing(value: object) -> Preprocessing:
    """An object of preprocessing settings."""
    if not isinstance(value, Mapping):
        raise TypeError(value)
    for key, item in value.items():
        if not isinstance(item, str):
            number_or_nan(item)
        text(key)
    return Preprocessing.from_dict(value)


def _box(value: object) -> Box | None:
    """Four whole numbers (top, left, bottom, right) or null."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(value)
    top, left, bottom, right = map(whole, value)
    if top >= bottom or left >= right:
        raise ValueError(value)
    return top, left, bottom, right


def _number_or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
