"""Comparisons as plain JSON values, and back, with every field checked."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cxrbench.compare import fields
from cxrbench.compare.comparison import HeatMaps, Prediction, Settings
from cxrbench.errors import InputError

__all__ = [
    "as_list",
    "heat_maps_record",
    "prediction_record",
    "read_heat_maps",
    "read_prediction",
    "settings",
    "settings_record",
]


def settings_record(values: Settings) -> dict[str, Any]:
    """Settings as JSON values."""
    return {
        "models": list(values.models),
        "methods": list(values.methods),
        "stage": values.stage,
        "baseline": values.baseline,
        "steps": values.steps,
    }


def _read_settings(record: object) -> Settings:
    return Settings(
        models=fields.take(record, "models", fields.texts),
        methods=fields.take(record, "methods", fields.texts),
        stage=fields.take(record, "stage", fields.whole),
        baseline=fields.take(record, "baseline", fields.text),
        steps=fields.take(record, "steps", fields.whole),
    )


settings: Final = fields.Kind("the settings of a comparison", _read_settings)


def prediction_record(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON values."""
    return {
        "model": prediction.model,
        "title": prediction.title,
        "revision": prediction.revision,
        "labels": list(prediction.labels),
        "logits": as_list(prediction.logits),
        "scores": as_list(prediction.scores),
        "thresholds": as_list(prediction.thresholds),
        "seconds": _number_or_null(prediction.seconds),
        "distance": _number_or_null(prediction.distance),
    }


def read_prediction(record: object) -> Prediction:
    """Read a prediction from the JSON values of ``prediction_record``.

    Raises:
        InputError: a field is missing or invalid, or a vector does not have one number per label.
    """
    labels = fields.take(record, "labels", fields.texts)
    vectors = {key: fields.take(record, key, fields.numbers) for key in ("logits", "scores", "thresholds")}
    for key, vector in vectors.items():
        if len(vector) != len(labels) or not np.isfinite(vector).all():
            raise InputError(
                f"{key!r} must hold one finite number per label ({len(labels)}); got {len(vector)}."
            )
    if ((vectors["scores"] < 0) | (vectors["scores"] > 1)).any():
        raise InputError("'scores' must lie between 0 and 1; save the file again.")
    return Prediction(
        model=fields.take(record, "model", fields.text),
        title=fields.take(record, "title", fields.text, default=""),
        revision=fields.take(record, "revision", fields.text),
        labels=labels,
        seconds=fields.take(record, "seconds", fields.number_or_nan),
        distance=fields.take(record, "distance", fields.number_or_nan, default=math.nan),
        **vectors,
    )


def heat_maps_record(heat: HeatMaps) -> dict[str, Any]:
    """Heat maps as JSON values, without the maps themselves."""
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
        "finding_remarks": list(heat.finding_remarks),
        "box": None if heat.box is None else list(heat.box),
    }


def read_heat_maps(record: object, maps: np.ndarray) -> HeatMaps:
    """Read heat maps from the JSON values of ``heat_maps_record`` and their maps (L, h, w).

    Raises:
        InputError: a field is missing or invalid, or there is not one finite map per label.
    """
    labels = fields.take(record, "labels", fields.texts)
    problem = fields.take(record, "problem", fields.text_or_none)
    count = 0 if problem is not None else len(labels)
    if maps.ndim != 3 or len(maps) != count or not np.isfinite(maps).all():
        raise InputError(
            f"Maps must be {count} finite grids, one per label; got an array of shape {maps.shape}."
        )
    completeness = fields.take(record, "completeness", fields.numbers)
    preprocessing = fields.take(record, "preprocessing", fields.preprocessing)
    # Files of versions without cropping have no box and need none.
    box = fields.take(record, "box", fields.box) if isinstance(record, Mapping) and "box" in record else None
    if box is None and preprocessing.crop != "none" and problem is None:
        raise InputError("'box' must be the part of the film that was cropped to; save the file again.")
    if len(completeness) not in (0, len(labels)):
        raise InputError(f"'completeness' must hold one number per label or none; got {len(completeness)}.")
    # Older files do not state which maps are stable either.
    known = isinstance(record, Mapping) and "stable" in record
    stable = fields.take(record, "stable", fields.flags) if known else np.empty(0, bool)
    if len(stable) not in (0, len(labels)):
        raise InputError(f"'stable' must hold one flag per label or none; got {len(stable)}.")
    finding_remarks = fields.take(record, "finding_remarks", fields.remarks, default=())
    if len(finding_remarks) not in (0, len(labels)):
        raise InputError(
            f"'finding_remarks' must hold one text per label or none; got {len(finding_remarks)}."
        )
    return HeatMaps(
        model=fields.take(record, "model", fields.text),
        method=fields.take(record, "method", fields.text),
        stage=fields.take(record, "stage", fields.text_or_none),
        labels=labels,
        maps=maps,
        preprocessing=preprocessing,
        seconds=fields.take(record, "seconds", fields.number_or_nan),
        progress=fields.take(record, "progress", fields.fraction),
        completeness=completeness,
        stable=stable,
        problem=problem,
        title=fields.take(record, "title", fields.text),
        signed=fields.take(record, "signed", fields.flag),
        remarks=fields.take(record, "remarks", fields.texts),
        finding_remarks=finding_remarks,
        box=box,
    )


def as_list(vector: np.ndarray) -> list[float | None]:
    """A vector as JSON numbers, NaN as null; floats come back bit for bit."""
    return [_number_or_null(float(value)) for value in vector]


def _number_or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
