"""Operations on the label matrix before the loss."""

from cxrbench.targets import hierarchy, imbalance, resampling
from cxrbench.targets.policies import POLICIES, RULES, Policy, Rule, ground_truth, mixture
from cxrbench.targets.synthesis import ml_smote

__all__ = [
    "POLICIES",
    "RULES",
    "Policy",
    "Rule",
    "ground_truth",
    "hierarchy",
    "imbalance",
    "mixture",
    "ml_smote",
    "resampling",
]
