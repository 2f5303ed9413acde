"""What a classifier must know about itself; it travels with the weights."""

from dataclasses import dataclass

from cxrbench.preprocess import Preprocessing

__all__ = ["ModelSpec"]


@dataclass(frozen=True)
class ModelSpec:
    """The identity of a model: enough to rebuild it, feed it and read its scores.

    Args:
        name: how the model is called in menus, links and file names; letters, digits, ``-``, ``_``.
        architecture: a key of ``zoo.ARCHITECTURES``.
        labels: one name a logit, in order; an empty name marks an untrained output, never shown.
        preprocessing: the recipe its images go through.
        thresholds: the operating point of each score, in (0, 1); one a label.
        title: a line for people.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    thresholds: tuple[float, ...]
    title: str = ""
