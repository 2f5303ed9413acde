"""Several models on the same images: alignment and paired comparison."""

from collections.abc import Sequence

import numpy as np

from cxrbench.errors import InputError
from cxrbench.evaluation.metrics import metric
from cxrbench.evaluation.predictions import Predictions
from cxrbench.labels import finding_columns, finding_key
from cxrbench.metrics import statistics
from cxrbench.metrics.intervals import Interval, bootstrap

__all__ = ["align", "compare"]


def compare(
    first: tuple[Predictions, np.ndarray],
    second: tuple[Predictions, np.ndarray],
    name: str = "auroc",
    *,
    mean: bool = False,
    count: int = 1000,
    seed: int = 0,
) -> Interval:
    """The difference in a metric between two models on the same images, first minus second, paired.

    Args:
        first: predictions and thresholds (L,); as `align` gives them.
        second: predictions and thresholds (L,) of the same images and findings.
        name: of the metric.
        mean: of the mean over the findings where it is defined, (1,); else of each finding, (L,).
        count: resamples.
        seed: of the resamples.

    Raises:
        InputError: the images or findings differ.
    """
    (a, cuts_a), (b, cuts_b) = first, second
    if a.labels != b.labels or list(a.table["path"]) != list(b.table["path"]):
        raise InputError(f"{a.name} and {b.name} are not of the same images and findings; align them first.")
    make = metric(name).make
    one = make(a.targets, a.scores, np.asarray(cuts_a))
    other = make(a.targets, b.scores, np.asarray(cuts_b))
    if mean:
        one, other = statistics.macro(one), statistics.macro(other)
    return bootstrap(statistics.difference(one, other), a.patients, count=count, seed=seed)


def align(predictions: Sequence[Predictions]) -> tuple[Predictions, ...]:
    """The images and findings that all have, in the order of the first; matched by path, with its targets.

    Raises:
        InputError: nothing is common to all, a path occurs twice, or two files differ in what is true.
    """
    first = predictions[0]
    known = [finding_columns(p.labels) for p in predictions]
    labels = tuple(label for label in first.labels if all(finding_key(label) in one for one in known))
    rows = [{path: row for row, path in enumerate(p.table["path"])} for p in predictions]
    for one, at in zip(predictions, rows, strict=True):
        if len(one) > 1 and set(at) == {""}:
            raise InputError(f"{one.name} has no column 'path'; its images cannot be matched without one.")
        if len(at) < len(one):
            raise InputError(f"{one.name} names an image twice; each path must occur once to be matched.")
    common = [path for path in first.table["path"] if all(path in at for at in rows)]
    if not labels or not common:
        names = " and ".join(p.name or "unnamed" for p in predictions)
        raise InputError(f"{names} have no image and finding in common; compare models on one data set.")
    aligned = tuple(
        p.take(np.array([at[path] for path in common])).columns(labels)
        for p, at in zip(predictions, rows, strict=True)
    )
    for other in aligned[1:]:
        if not np.array_equal(other.targets, aligned[0].targets, equal_nan=True):
            raise InputError(f"{first.name} and {other.name} name the same images, but with other truth.")
    return aligned
