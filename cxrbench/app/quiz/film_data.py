"""A film of the quiz as JSON values for the player, with its lesion and the AI's map."""

import base64
from math import isnan

import numpy as np

from cxrbench.app.quiz.player.schema import AnswerOfAi, FilmData
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.shipped_films import compare_address
from cxrbench.compare import HeatMaps, heatmap, peak
from cxrbench.figures.colours import colours_for
from cxrbench.figures.outline import outline_polygons
from cxrbench.figures.overlay import transparent_overlay
from cxrbench.teaching.quiz import GRID, QuizItem, lesion_cells, map_cells
from cxrbench.writing import png_bytes

__all__ = ["ai_answer", "film_data", "with_map"]

_COLOURS = "cividis"  # of maps that are not signed
_THOUSAND = 1000  # the player's units per side of a film


def film_data(item: QuizItem, source: Source, finding: str, *, model: str, with_ai: bool) -> FilmData:
    """A film without the AI's map.

    Args:
        item: of the quiz.
        source: the film, rendered, with the finding's mask.
        finding: that is asked for.
        model: name of the model, for the link to Compare.
        with_ai: False for films of the retest.
    """
    mask = source.masks.get(finding) if item.present else None
    visible = mask is not None and bool(mask.any())
    return {
        "film": item.film,
        "picture": _png(np.rint(np.clip(source.image, 0, 1) * 255).astype(np.uint8)),
        "present": item.present,
        "severity": None if isnan(item.severity) else round(float(item.severity), 3),
        "ai": ai_answer(item) if with_ai else None,
        "lesion": _bits(lesion_cells(mask)) if mask is not None and visible else None,
        "outline": _outline(mask) if mask is not None and visible else "",
        "link": compare_address(item.film, finding, [model]),
    }


def ai_answer(item: QuizItem) -> AnswerOfAi:
    """The AI's answer while its map is not there."""
    return {
        "present": item.ai_present,
        "score": round(float(item.score), 6),
        "threshold": round(float(item.threshold), 6),
        "inverted": item.inverted,
        "ready": False,
        "map": "",
        "region": None,
        "note": "",
    }


def with_map(film: FilmData, heat: HeatMaps | None, finding: str, shape: tuple[int, int]) -> FilmData:
    """The film with the AI's map.

    Args:
        film: as from ``film_data``.
        heat: the finished map; None if it could not be computed.
        finding: that the map is of.
        shape: (H, W) of the film.
    """
    ai = film["ai"]
    assert ai is not None
    relevance = heat.map_of(finding) if heat is not None else None
    if heat is None or relevance is None:
        note = (heat.problem if heat is not None else None) or "it could not be computed"
        return {**film, "ai": {**ai, "ready": True, "note": note}}
    on_film = heat.on_film(relevance[None], shape)[0]
    region = map_cells(on_film)
    values = heatmap(on_film, peak(heat, finding), signed=heat.signed)
    return {
        **film,
        "ai": {
            **ai,
            "ready": True,
            "map": _png(transparent_overlay(values, colours_for(_COLOURS, signed=heat.signed))),
            "region": None if region is None else _bits(region),
            "note": "",
        },
    }


def _png(pixels: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(png_bytes(pixels)).decode('ascii')}"


def _bits(cells: np.ndarray) -> str:
    assert cells.shape == (GRID, GRID)
    return base64.b64encode(np.packbits(cells).tobytes()).decode("ascii")


def _outline(mask: np.ndarray) -> str:
    """The outline as an SVG path, in thousandths of the film's side."""
    scale = _THOUSAND / mask.shape[0]
    return "".join(
        f"M{'L'.join(f'{x * scale:.0f} {y * scale:.0f}' for x, y in polygon)}Z"
        for polygon in outline_polygons(mask)
    )
