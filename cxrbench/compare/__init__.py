"""One radiograph, many models, methods and findings, side by side."""

from cxrbench.compare.comparison import Comparison, HeatMaps, Prediction, Settings

__all__ = ["Comparison", "HeatMaps", "Prediction", "Settings"]
