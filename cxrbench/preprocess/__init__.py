"""What happens to a radiograph before a network sees it."""

from cxrbench.preprocess.pipeline import Preprocessing

__all__ = ["Preprocessing"]
