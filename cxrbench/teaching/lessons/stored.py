"""Computed values and pictures of a lesson, stored beside its file, so that a page computes nothing."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cxrbench.errors import InputError
from cxrbench.teaching.lessons.lesson import Lesson
from cxrbench.writing import write_text

__all__ = ["Computed", "Panel", "computed_file", "digest", "read_computed", "write_computed"]

_FORMAT: Final = 1


@dataclass(frozen=True)
class Panel:
    """A picture as computed.

    Args:
        film: key of the film's image.
        heat: key of the heat map's image, which lies over the film; "" for none.
        outline: polygons of (x, y) in pixels of the film.
        size: (width, height) of the film in pixels.
        signed: of a heat map, whether its colours tell what raises the score from what lowers; None without
            a heat map, and for those that earlier versions stored.
        empty: whether nothing of a heat map is drawn, since no value is positive.
    """

    film: str
    heat: str
    outline: tuple[tuple[tuple[float, float], ...], ...]
    size: tuple[int, int]
    signed: bool | None = None
    empty: bool = False


@dataclass(frozen=True)
class Computed:
    """What was computed for a lesson.

    Args:
        digest: of what determines it, see ``digest``.
        models: name → revision of the models that were used.
        values: of each step, name → value; NaN where undefined.
        panels: of each step, one per picture.
        images: key → WebP file in base 64.
    """

    digest: str
    models: Mapping[str, str]
    values: tuple[Mapping[str, float], ...]
    panels: tuple[tuple[Panel, ...], ...]
    images: Mapping[str, str]


def computed_file(lesson: Lesson) -> Path:
    """The file of computed values, beside the lesson's."""
    return lesson.source.with_suffix(".json")


def digest(lesson: Lesson) -> str:
    """Of the states, values and pictures of a lesson: texts may change without computing anew."""
    parts = [
        {
            "values": {name: asdict(value) for name, value in step.values.items()},
            "pictures": [asdict(picture) | {"when": "", "caption": ""} for picture in step.pictures],
        }
        for step in lesson.steps
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def write_computed(lesson: Lesson, computed: Computed) -> None:
    """Write what was computed beside the lesson."""
    document = {"format": _FORMAT, **asdict(computed)}
    document["values"] = [
        {name: None if math.isnan(value) else round(value, 6) for name, value in values.items()}
        for values in computed.values
    ]
    write_text(computed_file(lesson), json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n")


def read_computed(lesson: Lesson) -> Computed:
    """What was computed for a lesson.

    Raises:
        InputError: nothing was computed, or for another state of the lesson's file.
    """
    path = computed_file(lesson)
    remedy = f"run: cxrbench lesson check {lesson.source} --write"
    if not path.is_file():
        raise InputError(f"The values of the lesson {lesson.id!r} are not computed yet; {remedy}.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        computed = _computed(document)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path} is damaged; {remedy}.") from error
    if computed.digest != digest(lesson):
        raise InputError(f"{lesson.source.name} was changed after its values were computed; {remedy}.")
    return computed


def _computed(document: Mapping[str, Any]) -> Computed:
    if document["format"] != _FORMAT:
        raise ValueError(document["format"])
    return Computed(
        digest=document["digest"],
        models=dict(document["models"]),
        values=tuple(
            {name: math.nan if value is None else float(value) for name, value in values.items()}
            for values in document["values"]
        ),
        panels=tuple(tuple(map(_panel, panels)) for panels in document["panels"]),
        images=dict(document["images"]),
    )


def _panel(record: Mapping[str, Any]) -> Panel:
    width, height = record["size"]
    polygons = tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in record["outline"])
    signed = record.get("signed")
    return Panel(
        film=str(record["film"]),
        heat=str(record["heat"]),
        outline=polygons,
        size=(int(width), int(height)),
        signed=None if signed is None else bool(signed),
        empty=bool(record.get("empty")),
    )
