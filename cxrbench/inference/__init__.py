"""What models say about radiographs."""

from cxrbench.inference.predict import Outputs, predict, rescale, scores_of, stream

__all__ = ["Outputs", "predict", "rescale", "scores_of", "stream"]
