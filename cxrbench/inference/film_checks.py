"""`FILM_CHECKS`: what is said of a film before any score, with the reason and what to do."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from cxrbench.data.grey import COLOUR
from cxrbench.inference.film_templates import INVERTED, LATERAL, UPSIDE_DOWN, chest_likeness, thumbnail
from cxrbench.inference.out_of_distribution import LIMIT

__all__ = [
    "FILM_CHECKS",
    "FilmCheck",
    "FilmMeasures",
    "Notice",
    "film_notices",
    "measure_film",
    "without_distance",
]

_BLANK: Final = 0.02  # range of grey levels, without the darkest and the brightest hundredth
_NOISE: Final = 0.8  # correlation of neighbouring pixels; of radiographs it is above 0.95
_CHEST: Final = 0.4  # `chest_likeness`; 98 of 100 real films are above, 85 of 100 photographs below
_SIDE: Final = 256  # pixels to which a film is shrunk before neighbours are compared


@dataclass(frozen=True, eq=False)
class FilmMeasures:
    """What the checks know of a film; it holds none of its pixels.

    Args:
        thumbnail: (8, 8) ranks of its grey levels; see ``film_templates.thumbnail``.
        contrast: range of its grey levels, without the darkest and the brightest hundredth, in [0, 1].
        smoothness: correlation of neighbouring pixels; NaN where all are equal.
        note: of the reader of its file (``Radiograph.note``).
    """

    thumbnail: np.ndarray
    contrast: float
    smoothness: float
    note: str = ""

    @property
    def inverted(self) -> bool:
        """Whether its grey levels look inverted."""
        return INVERTED.matches(self.thumbnail)

    @property
    def upside_down(self) -> bool:
        """Whether it looks upside down, once its grey levels are put right."""
        return UPSIDE_DOWN.matches(self._positive)

    @property
    def lateral(self) -> bool:
        """Whether it looks like a lateral view, once grey levels and orientation are put right."""
        return LATERAL.matches(self._positive[::-1] if self.upside_down else self._positive)

    @property
    def _positive(self) -> np.ndarray:
        return -self.thumbnail if self.inverted else self.thumbnail


Distances = Mapping[str, float]


@dataclass(frozen=True)
class FilmCheck:
    """One check of a film.

    Args:
        name: the key in ``FILM_CHECKS``.
        title: two or three words.
        reason: measures and distances of a film → why the check holds, as one sentence; "" if it does not.
        remedy: what to do then, as one sentence.
        assumes: checks that must not hold: this one means nothing where they do.
    """

    name: str
    title: str
    reason: Callable[[FilmMeasures, Distances], str]
    remedy: str
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """What is said of a film before its scores.

    Args:
        check: the key in ``FILM_CHECKS``.
        title: of the check.
        text: the reason and what to do.
    """

    check: str
    title: str
    text: str


def measure_film(pixels: np.ndarray, *, note: str = "") -> FilmMeasures:
    """Measure what the checks need.

    Args:
        pixels: (H, W) in [0, 1], as ``read_image`` returns.
        note: of the reader of its file (``Radiograph.note``), which states whether it was in colour.
    """
    film = np.asarray(pixels, np.float32)
    size = (min(film.shape[1], _SIDE), min(film.shape[0], _SIDE))
    small = cv2.resize(film, size, interpolation=cv2.INTER_AREA)
    low, high = np.quantile(small, (0.01, 0.99))
    left, right = small[:, :-1].ravel(), small[:, 1:].ravel()
    varies = left.size > 1 and min(np.ptp(left), np.ptp(right)) > 0
    smoothness = float(np.corrcoef(left, right)[0, 1]) if varies else math.nan
    return FilmMeasures(thumbnail(small), float(high - low), smoothness, note)


def film_notices(film: FilmMeasures, distances: Distances | None = None) -> tuple[Notice, ...]:
    """What is to be said of a film; empty if nothing is noticed, which does not make its scores right.

    Whether a film is mirrored is not checked: no rule that was tried was right often enough on real films
    (docs/film-checks.md).

    Args:
        film: as ``measure_film`` returns it.
        distances: title of a model → distance of the film from its training films, as in
            ``Outputs.distances``; NaN where it is not known.
    """
    notices: dict[str, Notice] = {}
    for check in FILM_CHECKS.values():
        assumed = not any(name in notices for name in check.assumes)
        if assumed and (reason := check.reason(film, distances or {})):
            notices[check.name] = Notice(check.name, check.title, f"{reason} {check.remedy}")
    return tuple(notices.values())


def without_distance(titles: Sequence[str]) -> str:
    """That models lack the statistics of their training films, in one sentence; "" for no models."""
    if not titles:
        return ""
    return (
        f"Whether a film is unlike the training films of {', '.join(titles)} is not known: nothing was "
        "measured on them."
    )


def _when(holds: Callable[[FilmMeasures], bool], sentence: str) -> Callable[[FilmMeasures, Distances], str]:
    """A reason that is the same sentence for every film, whatever its distances."""
    return lambda film, _: sentence if holds(film) else ""


def _unlike(film: FilmMeasures, distances: Distances) -> str:
    far = {title: distance for title, distance in distances.items() if distance > LIMIT}
    if not far:
        return ""
    models = ", ".join(f"{title} ({distance:.1f} times the limit)" for title, distance in far.items())
    return (
        f"The film is unlike the training films of {models}; the limit is what 95 of 100 validation films "
        "stay within."
    )


_NO_CHEST: Final = ("blank", "noise", "no_chest")  # what rules out that a film shows a chest

FILM_CHECKS: Final[Mapping[str, FilmCheck]] = MappingProxyType(
    {
        check.name: check
        for check in (
            FilmCheck(
                "colour",
                "Picture in colour",
                _when(
                    lambda film: COLOUR in film.note,
                    "The file is in colour, as a photograph is; a radiograph is grey.",
                ),
                "Export the radiograph from its viewer, without coloured marks, rather than photograph it.",
            ),
            FilmCheck(
                "blank",
                "Blank picture",
                _when(
                    lambda film: film.contrast < _BLANK,
                    "The picture is blank: its grey levels hardly differ.",
                ),
                "Check that the file is the right one, and export it again.",
            ),
            FilmCheck(
                "noise",
                "Noise",
                _when(
                    lambda film: film.smoothness < _NOISE,
                    "The picture looks like noise: neighbouring pixels are not alike.",
                ),
                "Check that the file is the right one, and export it again.",
                assumes=("blank",),
            ),
            FilmCheck(
                "no_chest",
                "No chest film",
                _when(
                    lambda film: chest_likeness(film.thumbnail) < _CHEST,
                    "The picture is not bright and dark where a chest radiograph is.",
                ),
                "Choose a radiograph of the chest, upright, and crop it to the chest.",
                assumes=("blank", "noise"),
            ),
            FilmCheck(
                "inverted",
                "Inverted film",
                _when(lambda film: film.inverted, "The film looks inverted: air bright, bones dark."),
                "Invert its grey levels in a viewer, and open it again.",
                assumes=_NO_CHEST,
            ),
            FilmCheck(
                "upside_down",
                "Film upside down",
                _when(lambda film: film.upside_down, "The film looks as if it were upside down."),
                "Turn it by 180° in a viewer, and open it again.",
                assumes=_NO_CHEST,
            ),
            FilmCheck(
                "lateral",
                "Lateral film",
                _when(lambda film: film.lateral, "The film looks like a lateral view."),
                "Choose the frontal film of the study: most models learned from frontal films.",
                assumes=_NO_CHEST,
            ),
            FilmCheck(
                "unlike",
                "Unlike the training films",
                _unlike,
                "Do not rely on these scores; the maps still show how the methods behave.",
            ),
        )
    }
)
