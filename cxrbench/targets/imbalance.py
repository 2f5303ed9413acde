"""Imbalance measures of a label matrix, and co-occurrence of findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.errors import InputError
from cxrbench.labels import HIERARCHY, finding_columns, finding_key

__all__ = [
    "LabelCounts",
    "Violation",
    "conditional",
    "cooccurrence",
    "counts",
    "cvir",
    "hierarchy_violations",
    "irlbl",
    "labels_per_image",
    "lift",
    "mean_ir",
    "positives",
    "ratio_summary",
    "scumble",
]


@dataclass(frozen=True)
class LabelCounts:
    """How often each of the L findings is what; the four sum to N. All (L,) integers."""

    positive: np.ndarray
    uncertain: np.ndarray
    negative: np.ndarray
    blank: np.ndarray


@dataclass(frozen=True)
class Violation:
    """Images in which a finding is positive though its parent is not said to be.

    Args:
        child: a finding of the hierarchy.
        parent: the finding whose presence it implies.
        positive: images with the child positive.
        negative: of those, images with the parent negative.
        uncertain: of those, images with the parent uncertain.
        blank: of those, images in which the parent is not mentioned.
    """

    child: str
    parent: str
    positive: int
    negative: int
    uncertain: int
    blank: int


def positives(targets: np.ndarray) -> np.ndarray:
    """Targets (N, L) → which entries count as present, bool: 1, and soft targets above 0.5.

    Raises:
        InputError: targets that are not a matrix.
    """
    given = np.asarray(targets)
    if given.ndim != 2:
        raise InputError(
            f"Targets must be (N, L), one row per image and one column per finding; got {given.shape}."
        )
    return given > 0.5  # NaN and −1 are not


def counts(targets: np.ndarray) -> LabelCounts:
    """Targets (N, L) of 1, 0, −1, NaN → how often each finding is positive, uncertain, negative, blank.

    Example:
        >>> counts(np.array([[1, 0], [-1, np.nan]])).uncertain.tolist()
        [1, 0]
    """
    present = positives(targets).sum(0)
    uncertain = (targets < 0).sum(0)
    blank = np.isnan(targets).sum(0)
    return LabelCounts(present, uncertain, len(targets) - present - uncertain - blank, blank)


def irlbl(targets: np.ndarray) -> np.ndarray:
    """Imbalance ratio of each finding: the most frequent finding's positives over its own.

    ``IRLbl(l) = max_k n₊(k) / n₊(l)``: 1 for the most frequent, 10 for one ten times rarer.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count.

    Returns:
        (L,); NaN for a finding that is never positive.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091.
    """
    return _ratios(positives(targets).sum(0))


def mean_ir(targets: np.ndarray) -> float:
    """MeanIR: the mean of IRLbl over the findings that are ever positive; NaN where none is.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091.
    """
    return ratio_summary(positives(targets).sum(0))[0]


def cvir(targets: np.ndarray) -> float:
    """CVIR: the standard deviation of IRLbl (with L − 1) over MeanIR. 0 where all findings are as frequent.

    Returns:
        NaN where fewer than two findings are ever positive.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091.
    """
    return ratio_summary(positives(targets).sum(0))[1]


def ratio_summary(present: np.ndarray) -> tuple[float, float]:
    """MeanIR and CVIR of findings that are positive so often (L,), also in expectation; see those two."""
    known = present[present > 0]
    ratios = known.max(initial=0) / known
    mean = float(ratios.mean()) if len(known) else float("nan")
    return mean, float(ratios.std(ddof=1)) / mean if len(known) > 1 else float("nan")


def scumble(targets: np.ndarray) -> tuple[np.ndarray, float]:
    """SCUMBLE: how much rare and frequent findings share images, by image and in the mean.

    ``1 − (Π IRLbl)^(1/k) / (Σ IRLbl / k)`` over the k findings present in an image: an Atkinson index, 0
    where they are equally rare, towards 1 where a rare one sits among frequent ones. Where the mean is high
    (Charte et al. say above 0.1), copying images with a rare finding copies the frequent ones with it.

    Returns:
        (N,), NaN for an image with no finding present, which the paper leaves open; and the mean of the rest.

    Reference:
        Charte et al. 2014, doi:10.1007/978-3-319-07617-1_10.
    """
    present = positives(targets)
    ratios = np.nan_to_num(_ratios(present.sum(0)), nan=1.0)
    many = present.sum(1)
    with np.errstate(invalid="ignore"):
        geometric = np.exp(present @ np.log(ratios) / many)
        values = 1 - geometric / (present @ ratios / many)
    # Rounding can carry equal ratios a hair below 0, which the index never is; 0 / 0 stays NaN.
    values = values.clip(min=0)
    known = values[many > 0]
    return values, float(known.mean()) if len(known) else float("nan")


def cooccurrence(targets: np.ndarray) -> np.ndarray:
    """How many images show both findings: (L, L) integers, symmetric, n₊ on the diagonal."""
    present = positives(targets).astype(np.float32)
    # A fast product, and exact: float32 counts without error up to 2²⁴ images.
    return (present.T @ present).astype(np.int64)


def conditional(targets: np.ndarray) -> np.ndarray:
    """P(column present | row present): (L, L), NaN in the row of a finding that is never positive."""
    both = cooccurrence(targets)
    with np.errstate(invalid="ignore"):
        return both / np.diag(both)[:, None]


def lift(targets: np.ndarray) -> np.ndarray:
    """How much more often two findings meet than if they were independent: ``N·n(a, b) / (n(a)·n(b))``.

    Returns:
        (L, L), symmetric; 1 for independent findings, N / n₊ on the diagonal; NaN where one is never
        positive.
    """
    both = cooccurrence(targets)
    each = np.diag(both).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return len(targets) * both / np.outer(each, each)


def labels_per_image(targets: np.ndarray) -> np.ndarray:
    """How many images show 0, 1, … L findings: (L + 1,) integers that sum to N."""
    present = positives(targets)
    return np.bincount(present.sum(1), minlength=present.shape[1] + 1)


def hierarchy_violations(
    targets: np.ndarray, labels: Sequence[str], *, hierarchy: Mapping[str, str] = HIERARCHY
) -> list[Violation]:
    """Where the hierarchy is not closed: one record for each child whose parent is among the labels too.

    Args:
        targets: (N, L) of 1, 0, −1, NaN.
        labels: the L findings, in any known spelling.
        hierarchy: child → parent.
    """
    present = positives(targets)
    columns = finding_columns(labels)
    found = []
    for child, parent in hierarchy.items():
        below, above_it = columns.get(finding_key(child)), columns.get(finding_key(parent))
        if below is not None and above_it is not None:
            above = targets[present[:, below], above_it]
            uncertain, blank = int((above < 0).sum()), int(np.isnan(above).sum())
            negative = int(((above >= 0) & (above <= 0.5)).sum())
            found.append(Violation(child, parent, len(above), negative, uncertain, blank))
    return found


def _ratios(present: np.ndarray) -> np.ndarray:
    """How often each finding is present (L,) → IRLbl (L,)."""
    return np.where(present > 0, present.max(initial=0) / np.maximum(present, 1), np.nan)
