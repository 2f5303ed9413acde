"""Explanations: which pixels a score is sensitive to."""

from cxrbench.explain.cam import feature_gradients
from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import BASELINES, Draft, baseline_images, integrated_gradients
from cxrbench.explain.methods import METHODS, identical_by_construction, method
from cxrbench.explain.passes import Passes
from cxrbench.explain.protocol import Method
from cxrbench.explain.run import Explanation, explain
from cxrbench.explain.validation import finding_list, stage_name

__all__ = [
    "BASELINES",
    "METHODS",
    "Draft",
    "Explanation",
    "Method",
    "Passes",
    "baseline_images",
    "explain",
    "feature_gradients",
    "finding_list",
    "heatmap",
    "identical_by_construction",
    "integrated_gradients",
    "method",
    "stage_name",
    "upsample",
]
