"""Arrays in, one value per finding out; undefined is NaN."""

from cxrbench.metrics.ranking import auroc, average_precision

__all__ = ["auroc", "average_precision"]
