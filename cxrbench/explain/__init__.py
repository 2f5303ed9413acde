"""Explanations: which pixels a score is sensitive to."""

from cxrbench.explain.cam import feature_gradients
from cxrbench.explain.context import NEEDS, Context
from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import BASELINES, Draft, baseline_images, integrated_gradients
from cxrbench.explain.methods import METHODS, configured_method, identical_by_construction, method
from cxrbench.explain.parameters import MethodParameter, parameters_of
from cxrbench.explain.passes import Passes
from cxrbench.explain.protocol import FAMILIES, ConfiguredMethod, Method, with_values
from cxrbench.explain.run import Explanation, explain
from cxrbench.explain.validation import finding_list, stage_name

__all__ = [
    "BASELINES",
    "FAMILIES",
    "METHODS",
    "NEEDS",
    "ConfiguredMethod",
    "Context",
    "Draft",
    "Explanation",
    "Method",
    "MethodParameter",
    "Passes",
    "baseline_images",
    "configured_method",
    "explain",
    "feature_gradients",
    "finding_list",
    "heatmap",
    "identical_by_construction",
    "integrated_gradients",
    "method",
    "parameters_of",
    "stage_name",
    "upsample",
    "with_values",
]
