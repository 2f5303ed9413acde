"""How well radiologists agree with each other: a ceiling for criteria that compare a map with their boxes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from cxrbench.data.truth import Region

__all__ = ["READER_CEILINGS", "VINDR_READERS", "ReaderAgreement", "reader_agreement"]


@dataclass(frozen=True)
class ReaderAgreement:
    """Agreement of readers who boxed the same finding on the same film.

    Args:
        pairs: pairs of such readers.
        area_iou: intersection over union of the areas that both boxed, mean over all pairs.
        area_iou_by_finding: the same, as the mean over findings of each finding's mean.
        centre_in_box: share of pairs, taken in both directions, in which the centre of one reader's largest
            box lies in a box of the other.
    """

    pairs: int
    area_iou: float
    area_iou_by_finding: float
    centre_in_box: float


# ``reader_agreement`` of the training annotations of VinDr-CXR: 15,000 films, three readers each.
VINDR_READERS: Final = ReaderAgreement(
    pairs=19_357, area_iou=0.5947, area_iou_by_finding=0.5405, centre_in_box=0.9159
)
_SOURCE: Final = "three readers of VinDr-CXR, 15,000 films (doi:10.1038/s41597-022-01498-w)"

# Criterion → what readers reach by it, in one sentence.
READER_CEILINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hit": "Readers: the centre of one reader's largest box lies in a box of another in "
        f"{VINDR_READERS.centre_in_box:.3f} of pairs; {_SOURCE}.",
        "box_iou": "Readers: the areas that two readers box have an IoU of "
        f"{VINDR_READERS.area_iou:.3f} over all pairs, of {VINDR_READERS.area_iou_by_finding:.3f} as the "
        f"mean over findings; {_SOURCE}.",
    }
)


class _Pair(NamedTuple):
    """One pair of readers: IoU of their areas, and in how many of both directions the centre lies inside."""

    area_iou: float
    centres: int


def reader_agreement(regions: Iterable[Region]) -> ReaderAgreement:
    """Compare the boxes of each two readers who marked the same finding on the same film.

    Args:
        regions: with boxes and the reader of each box, as from ``read_vindr_regions``; others are left out.

    Returns:
        The agreement; NaN where no two readers marked the same.
    """
    pairs: dict[str, list[_Pair]] = defaultdict(list)
    for region in regions:
        pairs[region.finding] += _pairs(region)
    of_findings = [np.array(each, np.float64) for each in pairs.values() if each]
    if not of_findings:
        return ReaderAgreement(0, np.nan, np.nan, np.nan)
    all_pairs = np.concatenate(of_findings)
    return ReaderAgreement(
        pairs=len(all_pairs),
        area_iou=float(all_pairs[:, 0].mean()),
        area_iou_by_finding=float(np.mean([each[:, 0].mean() for each in of_findings])),
        centre_in_box=float(all_pairs[:, 1].mean() / 2),
    )


def _pairs(region: Region) -> Iterator[_Pair]:
    if region.boxes is None or len(set(region.readers)) < 2:
        return
    drawn = np.array(region.readers)
    for first, second in combinations(dict.fromkeys(region.readers), 2):
        one, other = region.boxes[drawn == first], region.boxes[drawn == second]
        yield _Pair(_area_iou(one, other), _centre_inside(one, other) + _centre_inside(other, one))


def _area_iou(one: np.ndarray, other: np.ndarray) -> float:
    """IoU of what the boxes (T, 4) of each of two readers cover, on the grid of all their sides."""
    columns, rows = (np.unique(np.concatenate([one, other])[:, [axis, axis + 2]]) for axis in (0, 1))
    cells = np.outer(np.diff(rows), np.diff(columns))
    first, second = (_covered(boxes, columns, rows) for boxes in (one, other))
    return float(cells[first & second].sum() / cells[first | second].sum())


def _covered(boxes: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which cells between the given sides the boxes cover."""
    covered = np.zeros((len(rows) - 1, len(columns) - 1), bool)
    sides = np.stack([np.searchsorted(rows, boxes[:, [1, 3]]), np.searchsorted(columns, boxes[:, [0, 2]])], 1)
    for (top, bottom), (left, right) in sides:
        covered[top:bottom, left:right] = True
    return covered


def _centre_inside(boxes: np.ndarray, others: np.ndarray) -> bool:
    """Whether the centre of the largest box (the first of equal ones) lies in one of the others."""
    largest = boxes[np.argmax((boxes[:, 2:] - boxes[:, :2]).prod(1))]
    centre = (largest[:2] + largest[2:]) / 2
    return bool(((others[:, :2] <= centre) & (centre <= others[:, 2:])).all(1).any())
