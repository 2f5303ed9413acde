"""From a radiograph to the input of a network."""

from cxrbench.preprocess.contrast import CONTRASTS, Contrast
from cxrbench.preprocess.pipeline import Preprocessing
from cxrbench.preprocess.placement import Box, Placement

__all__ = ["CONTRASTS", "Box", "Contrast", "Placement", "Preprocessing"]
