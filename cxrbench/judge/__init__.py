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
from cxrbench.judge.correlation import (
    pearson,
    spearman,
)
from cxrbench.judge.criteria import (
    CRITERIA,
    criterion,
)
from cxrbench.judge.curves import (
    Curve,
    replacement_curve,
)
from cxrbench.judge.interventional import (
    FEWEST_PARTS,
    IRRELEVANT,
    distractibility,
    part_importance,
    single_deletion,
    target_sensitivity,
)
from cxrbench.judge.judged_map import (
    Explainer,
    JudgedMap,
    Part,
    Score,
)
from cxrbench.judge.localisation import (
    TOLERANCE,
    hit,
    rank_accuracy,
    relevance_mass,
)
from cxrbench.judge.maps import (
    enlarged,
    pixel_order,
    positive_part,
    share_in_top,
)
from cxrbench.judge.preservation import (
    IMPORTANCE_LEVELS,
    PartChecks,
    part_checks,
)
from cxrbench.judge.protocol import (
    CRITERION_FAMILIES,
    NEEDS,
    Criterion,
    CriterionFamily,
    Need,
)
from cxrbench.judge.reachability import (
    candidate_maps,
    reachable,
    reachable_hit,
    reachable_pixels,
)
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
from cxrbench.judge.towards_twin import (
    LEAST_CHANGE,
    TWIN_SHARES,
    best_deletion,
    best_insertion,
    best_order,
    deletion_towards_twin,
    insertion_towards_twin,
    relative_to_best,
)

__all__ = [
    "BOX_LEVELS",
    "BOX_THRESHOLDS",
    "CRITERIA",
    "CRITERION_FAMILIES",
    "FEWEST_PARTS",
    "IMPORTANCE_LEVELS",
    "IRRELEVANT",
    "LEAST_CHANGE",
    "NEEDS",
    "PROBABILITY_CUTOFFS",
    "SEGMENTATION_THRESHOLDS",
    "TOLERANCE",
    "TWIN_SHARES",
    "BoxOverlaps",
    "Criterion",
    "CriterionFamily",
    "Curve",
    "Explainer",
    "JudgedMap",
    "Need",
    "Part",
    "PartChecks",
    "Score",
    "best_deletion",
    "best_insertion",
    "best_order",
    "best_probability_cutoff",
    "best_segmentation_threshold",
    "box_mask",
    "box_overlaps",
    "boxes_of_map",
    "candidate_maps",
    "criterion",
    "deletion_towards_twin",
    "distractibility",
    "enlarged",
    "hit",
    "insertion_towards_twin",
    "iou",
    "keep_above_cutoff",
    "localised",
    "min_max",
    "otsu_segmentation",
    "part_checks",
    "part_importance",
    "pearson",
    "pixel_order",
    "positive_part",
    "rank_accuracy",
    "reachable",
    "reachable_hit",
    "reachable_pixels",
    "relative_to_best",
    "relevance_mass",
    "replacement_curve",
    "share_in_top",
    "single_deletion",
    "spearman",
    "target_sensitivity",
    "threshold_segmentation",
]
