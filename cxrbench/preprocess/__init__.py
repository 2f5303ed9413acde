"""What happens to a radiograph before a network sees it."""

from cxrbench.preprocess.contrast import CONTRASTS, Contrast
from cxrbench.preprocess.pipeline import Preprocessing
from cxrbench.preprocess.placement import Box, Placement

__all__ = ["CONTRASTS", "Box", "Contrast", "Placement", "Preprocessing"]
