"""What is said of the film of a comparison before its scores."""

from cxrbench.compare.comparison import Comparison
from cxrbench.inference import Notice, film_notices, measure_film

__all__ = ["comparison_notices"]


def comparison_notices(comparison: Comparison) -> tuple[Notice, ...]:
    """What is to be said of the film; nothing of a phantom, whose truth is known.

    Args:
        comparison: with the predictions, which hold the film's distances from the training films.
    """
    if comparison.truth:
        return ()
    distances = {each.title or each.model: each.distance for each in comparison.predictions.values()}
    return film_notices(measure_film(comparison.image, note=comparison.note), distances)
