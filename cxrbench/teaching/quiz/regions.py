"""Where a reader's mark, a lesion and a map are: on one square grid, which the browser computes with too."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from types import MappingProxyType
from typing import Final, Literal

import cv2
import numpy as np

__all__ = [
    "GRID",
    "PATTERNS",
    "UNDEFINED",
    "Mark",
    "Overlap",
    "Pattern",
    "distance_to",
    "lesion_cells",
    "map_cells",
    "overlap",
    "pattern_of",
]

GRID: Final = 160  # cells per side of a film
_WARM: Final = 0.5  # share of a map's maximum from which a cell belongs to its region
_MOSTLY: Final = 0.5  # from which an overlap counts as one


@dataclass(frozen=True)
class Mark:
    """A disc on a square film: where a reader says that the finding is.

    Args:
        x, y: of its centre, in fractions of the film's side, from the upper left corner.
        radius: in fractions of the film's side.
    """

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Overlap:
    """How far the region of a mark and that of a map are the same; all NaN where one of them is empty.

    Args:
        iou: intersection ÷ union.
        of_mark: share of the mark that the map covers.
        of_map: share of the map that the mark covers.

    Reference: Shared Interest, Boggust et al. 2022, arXiv:2107.09234: IoU, ground truth coverage and saliency
    coverage, with the reader's mark as the human's region.
    """

    iou: float = nan
    of_mark: float = nan
    of_map: float = nan


def lesion_cells(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) bool of a square film as cells (GRID, GRID) bool: those that it touches.

    Films smaller than the grid are enlarged by nearest neighbours.
    """
    rows, columns = (_edges(side) for side in mask.shape)
    summed = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    (top, bottom), (left, right) = rows, columns
    inside = summed[np.ix_(bottom, right)] - summed[np.ix_(top, right)]
    cells: np.ndarray = inside - summed[np.ix_(bottom, left)] + summed[np.ix_(top, left)] > 0
    return cells


def _edges(side: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel of each cell, and the one after its last; each cell has at least one pixel."""
    first = np.arange(GRID) * side // GRID
    return first, np.maximum(first + 1, -(-(np.arange(GRID) + 1) * side // GRID))


def map_cells(relevance: np.ndarray) -> np.ndarray | None:
    """The region of a map on a film (H, W): cells (GRID, GRID) bool from half of its maximum.

    Args:
        relevance: on the film; NaN outside the network's input, where there is no region.

    Returns:
        None if nothing in the map is positive.
    """
    positive = np.maximum(np.nan_to_num(relevance, nan=0.0), 0).astype(np.float32)
    means = cv2.resize(positive, (GRID, GRID), interpolation=cv2.INTER_AREA)
    largest = float(means.max())
    return means >= _WARM * largest if largest > 0 else None


def mark_cells(mark: Mark) -> np.ndarray:
    """The cells (GRID, GRID) bool whose centres lie in the disc of a mark, its border included."""
    centres = (np.arange(GRID) + 0.5) / GRID
    squared = (centres[None, :] - mark.x) ** 2 + (centres[:, None] - mark.y) ** 2
    disc: np.ndarray = squared <= mark.radius**2
    return disc


def distance_to(lesion: np.ndarray, mark: Mark) -> float:
    """Distance of a mark's centre from the nearest cell of a lesion, in fractions of the film's side.

    0 where the centre lies in a cell of the lesion, otherwise measured to the centre of the nearest one.

    Args:
        lesion: ``lesion_cells``.
        mark: the mark; its radius does not matter.

    Returns:
        NaN if the lesion has no cell.
    """
    if not lesion.any():
        return nan
    row, column = (min(GRID - 1, max(0, int(place * GRID))) for place in (mark.y, mark.x))
    if lesion[row, column]:
        return 0.0
    rows, columns = np.nonzero(lesion)
    return float(np.hypot((columns + 0.5) / GRID - mark.x, (rows + 0.5) / GRID - mark.y).min())


def overlap(region: np.ndarray | None, mark: Mark) -> Overlap:
    """The overlap of a map's region, of ``map_cells``, with a mark."""
    disc = mark_cells(mark)
    if region is None or not region.any() or not disc.any():
        return UNDEFINED
    both = int((region & disc).sum())
    return Overlap(both / int((region | disc).sum()), both / int(disc.sum()), both / int(region.sum()))


UNDEFINED: Final = Overlap()


@dataclass(frozen=True)
class Pattern:
    """A pattern of agreement between a mark and a map, given whether the AI is right.

    Args:
        title: its name in Shared Interest.
        meaning: what it says here, in one sentence.
    """

    title: str
    meaning: str


Agreement = Literal["same", "map in mark", "mark in map", "elsewhere"]

# (how they agree, whether the AI is right) → the pattern.
PATTERNS: Final[Mapping[tuple[Agreement, bool], Pattern]] = MappingProxyType(
    {
        ("same", True): Pattern("Human aligned", "The AI is right, and its map is where you marked."),
        ("map in mark", True): Pattern("Sufficient subset", "The AI is right; its map is inside your mark."),
        ("mark in map", True): Pattern("Sufficient context", "The AI is right; its map surrounds your mark."),
        ("elsewhere", True): Pattern("Context dependent", "The AI is right, but its map is elsewhere."),
        ("same", False): Pattern("Confuser", "The AI is wrong, and yet its map is where you marked."),
        ("map in mark", False): Pattern(
            "Insufficient subset", "The AI is wrong; its map is inside your mark."
        ),
        ("mark in map", False): Pattern("Context confusion", "The AI is wrong; its map surrounds your mark."),
        ("elsewhere", False): Pattern("Distractor", "The AI is wrong, and its map is elsewhere."),
    }
)


def pattern_of(found: Overlap, *, ai_right: bool) -> Pattern | None:
    """The pattern of an overlap: the first of IoU, share of the map, share of the mark that is at least 0.5.

    The names are Shared Interest's; it sorts by these three numbers without fixing the bound of 0.5.

    Returns:
        None where the overlap is not defined.
    """
    if np.isnan(found.iou):
        return None
    measured: dict[Agreement, float] = {
        "same": found.iou,
        "map in mark": found.of_map,
        "mark in map": found.of_mark,
    }
    mostly: list[Agreement] = [name for name, value in measured.items() if value >= _MOSTLY]
    agreement: Agreement = mostly[0] if mostly else "elsewhere"
    return PATTERNS[agreement, ai_right]
