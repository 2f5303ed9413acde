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
from cxrbench.judge.concentration import (
    complexity,
    sparseness,
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
from cxrbench.judge.faithfulness import (
    DropAndIncrease,
    deletion,
    drop_and_increase,
    faithfulness_correlation,
    infidelity,
    insertion,
    score_drops,
    square_masks,
    standard_squares,
)
from cxrbench.judge.interventional import (
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
    HIT_TOLERANCE,
    hit,
    points_hit,
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
from cxrbench.judge.ranking import (
    RankingAgreement,
    criteria_by_truth,
    kendall,
    ranking_agreement,
)
from cxrbench.judge.reachability import (
    reachable,
    reachable_hit,
)
from cxrbench.judge.road import (
    ROAD_SHARES,
    Road,
    noisy_linear,
    road,
)
from cxrbench.judge.robustness import (
    largest_change,
    max_sensitivity,
    noisy_images,
)
from cxrbench.judge.sanity import (
    Cascade,
    cascade,
    classifier_groups,
    finding_swap,
    randomised_models,
    structural_similarity,
)
from cxrbench.judge.segmentation import (
    PROBABILITY_CUTOFFS,
    SEGMENTATION_THRESHOLDS,
    best_probability_cutoff,
    best_segmentation_threshold,
    cutoff_means,
    iou,
    keep_above_cutoff,
    otsu_segmentation,
    threshold_means,
    threshold_segmentation,
)
from cxrbench.judge.shortcuts import (
    confounder_sensitivity,
    explanation_correlation,
    relies_on_marker,
)
from cxrbench.judge.towards_twin import (
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
    "HIT_TOLERANCE",
    "IMPORTANCE_LEVELS",
    "NEEDS",
    "PROBABILITY_CUTOFFS",
    "ROAD_SHARES",
    "SEGMENTATION_THRESHOLDS",
    "TWIN_SHARES",
    "BoxOverlaps",
    "Cascade",
    "Criterion",
    "CriterionFamily",
    "Curve",
    "DropAndIncrease",
    "Explainer",
    "JudgedMap",
    "Need",
    "Part",
    "PartChecks",
    "RankingAgreement",
    "Road",
    "Score",
    "best_deletion",
    "best_insertion",
    "best_order",
    "best_probability_cutoff",
    "best_segmentation_threshold",
    "box_mask",
    "box_overlaps",
    "boxes_of_map",
    "cascade",
    "classifier_groups",
    "complexity",
    "confounder_sensitivity",
    "criteria_by_truth",
    "criterion",
    "cutoff_means",
    "deletion",
    "deletion_towards_twin",
    "distractibility",
    "drop_and_increase",
    "enlarged",
    "explanation_correlation",
    "faithfulness_correlation",
    "finding_swap",
    "hit",
    "infidelity",
    "insertion",
    "insertion_towards_twin",
    "iou",
    "keep_above_cutoff",
    "kendall",
    "largest_change",
    "localised",
    "max_sensitivity",
    "noisy_images",
    "noisy_linear",
    "otsu_segmentation",
    "part_checks",
    "part_importance",
    "pearson",
    "pixel_order",
    "points_hit",
    "positive_part",
    "randomised_models",
    "rank_accuracy",
    "ranking_agreement",
    "reachable",
    "reachable_hit",
    "relative_to_best",
    "relevance_mass",
    "relies_on_marker",
    "replacement_curve",
    "road",
    "score_drops",
    "share_in_top",
    "single_deletion",
    "sparseness",
    "spearman",
    "square_masks",
    "standard_squares",
    "structural_similarity",
    "target_sensitivity",
    "threshold_means",
    "threshold_segmentation",
]
