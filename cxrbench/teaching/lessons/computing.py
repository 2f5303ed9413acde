"""Computes a lesson: its values, and its pictures as small images."""

import base64
import hashlib
import io

import numpy as np
from PIL import Image

from cxrbench.compare import HeatMaps, heatmap, peak
from cxrbench.errors import InputError
from cxrbench.figures import colours_for, outline_polygons
from cxrbench.figures.overlay import transparent_overlay
from cxrbench.teaching.lessons.answers import check_answer
from cxrbench.teaching.lessons.bench import Bench
from cxrbench.teaching.lessons.lesson import Lesson, Picture, Step
from cxrbench.teaching.lessons.quantities import QUANTITIES
from cxrbench.teaching.lessons.situation import Situation
from cxrbench.teaching.lessons.stored import Computed, Panel, digest

__all__ = ["compute", "compute_values"]

_FILM_QUALITY = 82  # of WebP, 0 to 100
_HEAT_QUALITY = 60  # of colours and of opacity alike


def compute(lesson: Lesson, bench: Bench | None = None) -> Computed:
    """Compute the values and pictures of a lesson.

    Args:
        lesson: as read.
        bench: opens films and models; shared between lessons it opens each once.

    Raises:
        InputError: a value or picture cannot be computed, or an answer is not decided; names the step.
    """
    bench = bench or Bench()
    images: dict[str, str] = {}
    values, panels = [], []
    for number, step in enumerate(lesson.steps, 1):
        try:
            values.append(compute_values(step, bench))
            panels.append(tuple(_panel(picture, bench, images) for picture in step.pictures))
        except InputError as error:
            raise InputError(f"{lesson.source.name}, step {number} ({step.title}): {error}") from error
    revisions = {name: bench.model(name).revision for name in sorted(_models(lesson))}
    return Computed(digest(lesson), revisions, tuple(values), tuple(panels), images)


def compute_values(step: Step, bench: Bench) -> dict[str, float]:
    """The values of a step, by which its question has a safe answer.

    Raises:
        InputError: a value cannot be computed, or the answer is not decided.
    """
    values = {}
    for name, value in step.values.items():
        try:
            values[name] = float(QUANTITIES[value.quantity].compute(Situation(value, bench)))
        except InputError as error:
            raise InputError(f"value {name}: {error}") from error
    check_answer(step, values)
    return values


def _models(lesson: Lesson) -> set[str]:
    """Names of the models that values and maps of a lesson are of."""
    used: set[str] = set()
    for step in lesson.steps:
        used.update(
            name
            for value in step.values.values()
            if "model" in QUANTITIES[value.quantity].needs or value.quantity in _OF_ALL
            for name in (value.state.models if value.quantity in _OF_ALL else value.state.models[:1])
        )
        used.update(picture.state.models[0] for picture in step.pictures if picture.has_map)
    return used


_OF_ALL = ("models_that_call", "mean_score", "range_of_scores")


def _panel(picture: Picture, bench: Bench, images: dict[str, str]) -> Panel:
    film = bench.film(picture.state)
    height, width = film.image.shape
    polygons = outline_polygons(film.extent(picture.outline)) if picture.outline else []
    grey = np.round(np.clip(film.image, 0, 1) * 255).astype(np.uint8)
    state = picture.state
    heat = _heat_maps(picture, bench) if picture.has_map else None
    return Panel(
        film=_kept(grey, _FILM_QUALITY, images),
        heat=""
        if heat is None
        else _kept(_heat(heat, state.finding, film.image.shape), _HEAT_QUALITY, images),
        outline=tuple(
            tuple((round(float(x), 1), round(float(y), 1)) for x, y in polygon) for polygon in polygons
        ),
        size=(width, height),
        signed=None if heat is None else heat.signed,
        empty=heat is not None and peak(heat, state.finding) == 0,
    )


def _heat_maps(picture: Picture, bench: Bench) -> HeatMaps:
    state = picture.state
    of_weights = bench.randomised_heat if picture.show == "randomised map" else bench.heat
    return of_weights(state, state.models[0], state.methods[0])


def _heat(heat: HeatMaps, finding: str, shape: tuple[int, ...]) -> np.ndarray:
    """The heat map of a finding as colours with opacity, over a film of this shape: (H, W, 4) uint8."""
    relevance = heat.map_of(finding)
    assert relevance is not None
    on_film = heat.on_film(relevance[None], (shape[0], shape[1]))[0]
    values = heatmap(on_film, peak(heat, finding), signed=heat.signed)
    return transparent_overlay(values, colours_for("cividis", signed=heat.signed))


def _kept(pixels: np.ndarray, quality: int, images: dict[str, str]) -> str:
    """Keep an image once, and return its key."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, alpha_quality=quality, method=4)
    key = hashlib.sha256(pixels.tobytes()).hexdigest()[:12]
    images[key] = base64.b64encode(buffer.getvalue()).decode("ascii")
    return key
