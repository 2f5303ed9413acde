"""Records of the criteria of localisation, for ``CRITERIA``."""

from functools import partial
from typing import Any, Final

import numpy as np

from cxrbench.judge import boxes, localisation, reachability, segmentation
from cxrbench.judge.judged_map import JudgedMap
from cxrbench.judge.protocol import Criterion

__all__ = ["LOCALISATION"]

_CHEXLOCALIZE: Final = "doi:10.1038/s42256-022-00536-x"
_NAN: Final = float("nan")

_record = partial(Criterion, family="localisation", needs=("masks",), fields=("region",))
_boxes = partial(Criterion, family="localisation", needs=("boxes",), fields=("boxes",))


def _hit(judged: JudgedMap, tolerance: float = 0) -> float:
    return localisation.hit(judged.relevance, _region(judged), tolerance=tolerance)


def _reachable_hit(judged: JudgedMap, tolerance: float = 0) -> float:
    return reachability.reachable_hit(_region(judged), judged.grid, tolerance=tolerance)


def _mass(judged: JudgedMap) -> float:
    return localisation.relevance_mass(judged.relevance, _region(judged))


def _rank(judged: JudgedMap) -> float:
    return localisation.rank_accuracy(judged.relevance, _region(judged))


def _otsu_iou(heat: np.ndarray, region: np.ndarray) -> float:
    """IoU by Otsu's threshold; an empty segmentation of a finding that is there has none of its pixels."""
    if not region.any():
        return _NAN
    return segmentation.iou(segmentation.otsu_segmentation(heat), region, true_positives_only=False)


def _iou_at(heat: np.ndarray, region: np.ndarray, threshold: float) -> float:
    if not region.any():
        return _NAN
    found = segmentation.threshold_segmentation(heat, threshold)
    return segmentation.iou(found, region, true_positives_only=False)


def _iou_record(threshold: float) -> Criterion:
    compute = partial(_iou_at, threshold=threshold)
    return _record(
        name=f"iou_at_{100 * threshold:.0f}",
        title=f"IoU at threshold {threshold:.1f}",
        compute=lambda judged: compute(judged.heat, _region(judged)),
        reference=_CHEXLOCALIZE,
        reachable=_reached(compute),
        caveat="The threshold must be chosen on other films: the best of seven on the same ones is too good.",
    )


def _in_lungs(judged: JudgedMap) -> float:
    assert judged.lungs is not None
    return localisation.relevance_mass(judged.relevance, judged.lungs)


def _overlap(judged: JudgedMap, kind: str) -> float:
    assert judged.boxes is not None
    if not len(judged.boxes):
        return _NAN
    overlaps = boxes.box_overlaps(boxes.boxes_of_map(judged.heat), judged.boxes)
    return float(getattr(overlaps, kind).mean())


def _reached(criterion: Any) -> Any:
    """The best value of a criterion of relevance and mask on the map's grid."""
    return lambda judged: reachability.reachable(criterion, _region(judged), judged.grid)


def _region(judged: JudgedMap) -> np.ndarray:
    assert judged.region is not None
    return judged.region


LOCALISATION: Final = (
    _record(
        name="hit",
        title="Hit rate",
        compute=_hit,
        reference="arXiv:1608.00507",
        reachable=_reachable_hit,
        caveat="Reads one pixel. A large finding is hit by chance, and a prior that never sees the film hits "
        "most hearts.",
    ),
    _record(
        name="hit_15",
        title="Hit rate, within 15 pixels",
        compute=partial(_hit, tolerance=localisation.HIT_TOLERANCE),
        reference="arXiv:1608.00507",
        reachable=partial(_reachable_hit, tolerance=localisation.HIT_TOLERANCE),
        caveat="15 pixels are another distance on another image size; a small finding grows the most.",
    ),
    _record(
        name="otsu_iou",
        title="IoU (Otsu)",
        compute=lambda judged: _otsu_iou(judged.heat, _region(judged)),
        reference=_CHEXLOCALIZE,
        reachable=_reached(_otsu_iou),
        caveat="Judges the threshold with the map; small findings score low on coarse grids.",
    ),
    *(_iou_record(threshold) for threshold in segmentation.SEGMENTATION_THRESHOLDS),
    _boxes(
        name="box_iou",
        title="IoU of boxes",
        compute=partial(_overlap, kind="iou"),
        reference="arXiv:1705.02315",
        caveat="The best of several boxes of the map counts, whatever the others cover.",
    ),
    _boxes(
        name="box_iobb",
        title="IoBB of boxes",
        compute=partial(_overlap, kind="iobb"),
        reference="arXiv:1705.02315",
        caveat="A single warm pixel inside the true box scores 1: it measures purity, not extent.",
    ),
    _record(
        name="relevance_mass",
        title="Relevance mass",
        compute=_mass,
        reference="arXiv:2003.07258",
        reachable=_reached(localisation.relevance_mass),
        caveat="Grows with the size of the finding: a uniform map gets the share of its area.",
    ),
    _record(
        name="rank_accuracy",
        title="Rank accuracy",
        compute=_rank,
        reference="arXiv:2003.07258",
        reachable=_reached(localisation.rank_accuracy),
        caveat="Reads the order of pixels alone; how much relevance lies elsewhere does not count.",
    ),
    _record(
        name="share_in_lungs",
        title="Share inside the lungs",
        compute=_in_lungs,
        fields=("lungs",),
        reference="",
        caveat="Relevance on the healthy lung counts as well; the heart and many devices lie outside.",
        higher_is_better=None,
    ),
)
