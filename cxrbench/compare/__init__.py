"""One radiograph, many models, methods and findings, side by side.

``run`` computes and needs torch; it is not imported here, so that bundles and gallery cases open without it.
"""

from cxrbench.compare.captions import DISCLAIMER, caption, computing_time, notes, score_text
from cxrbench.compare.comparison import FILM_VIEWS, Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.ensemble import Blend, Vote, blend, vote
from cxrbench.compare.scale import SCALES, Scale, heatmap, peak, peaks
from cxrbench.compare.surroundings import Surroundings

__all__ = [
    "DISCLAIMER",
    "FILM_VIEWS",
    "SCALES",
    "Blend",
    "Comparison",
    "HeatMaps",
    "Prediction",
    "Scale",
    "Settings",
    "Surroundings",
    "Vote",
    "blend",
    "caption",
    "computing_time",
    "heatmap",
    "notes",
    "peak",
    "peaks",
    "score_text",
    "vote",
]
