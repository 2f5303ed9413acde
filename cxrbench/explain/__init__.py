"""Explanations: which pixels is a score sensitive to?"""

from cxrbench.explain.protocol import Explainer, Method

__all__ = ["Explainer", "Method"]
