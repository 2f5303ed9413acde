"""What happens to the label matrix before a loss sees it."""

from cxrbench.targets import imbalance, resampling
from cxrbench.targets.policies import POLICIES, RULES, Policy, Rule, mixture

__all__ = ["POLICIES", "RULES", "Policy", "Rule", "imbalance", "mixture", "resampling"]
