"""Criteria that judge maps: against twins, masks and boxes, or without truth.

One value per image and finding; undefined is NaN. Criteria are pure functions of arrays; those that need
further forward passes take a callable that scores images. ``CRITERIA`` lists them all.
"""

from cxrbench.judge.boxes import (
    BOX_LEVELS,
    BOX_THRESHOLDS,
    BoxOverlaps,
    box_mask,
    box_overlaps,
    boxes_of_map,
    localised,
)
from cxrbench.judge.criteria import CRITERIA, criterion
from cxrbench.judge.criterion import CRITERION_FAMILIES, NEEDS, Criterion, CriterionFamily, Need
from cxrbench.judge.judged_map import Explainer, JudgedMap, Part, Score
from cxrbench.judge.localisation import TOLERANCE, hit, rank_accuracy, relevance_mass
from cxrbench.judge.maps import enlarged, pixel_order, positive_part, share_in_top
from cxrbench.judge.reachability import candidate_maps, reachable, reachable_hit, reachable_pixels
from cxrbench.judge.segmentation import (
    PROBABILITY_CUTOFFS,
    SEGMENTATION_THRESHOLDS,
    best_probability_cutoff,
    best_segmentation_threshold,
    iou,
    keep_above_cutoff,
    min_max,
    otsu_segmentation,
    threshold_segmentation,
)

__all__ = [
    "BOX_LEVELS",
    "BOX_THRESHOLDS",
    "CRITERIA",
    "CRITERION_FAMILIES",
    "NEEDS",
    "PROBABILITY_CUTOFFS",
    "SEGMENTATION_THRESHOLDS",
    "TOLERANCE",
    "BoxOverlaps",
    "Criterion",
    "CriterionFamily",
    "Explainer",
    "JudgedMap",
    "Need",
    "Part",
    "Score",
    "best_probability_cutoff",
    "best_segmentation_threshold",
    "box_mask",
    "box_overlaps",
    "boxes_of_map",
    "candidate_maps",
    "criterion",
    "enlarged",
    "hit",
    "iou",
    "keep_above_cutoff",
    "localised",
    "min_max",
    "otsu_segmentation",
    "pixel_order",
    "positive_part",
    "rank_accuracy",
    "reachable",
    "reachable_hit",
    "reachable_pixels",
    "relevance_mass",
    "share_in_top",
    "threshold_segmentation",
]
