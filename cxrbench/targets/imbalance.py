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
    """Counts of each finding's labels; the four sum to N. All (L,) integers."""

    positive: np.ndarray
    uncertain: np.ndarray
    negative: np.ndarray
    blank: np.ndarray


@dataclass(frozen=True)
class Violation:
    """Images with a positive finding whose parent is not labelled positive.

    Args:
        child: a finding of the hierarchy.
        parent: the finding whose presence it implies.
        positive: number of images with the child positive.
        negative: of those, with the parent negative.
        uncertain: of those, with the parent uncertain.
        blank: of those, with the parent not mentioned.
    """

    child: str
    parent: str
    positive: int
    negative: int
    uncertain: int
    blank: int


def positives(targets: np.ndarray) -> np.ndarray:
    """Return where targets (N, L) count as positive, bool: 1, and soft targets above 0.5.

    Raises:
        InputError: the targets are not a matrix.
    """
    targets = np.asarray(targets)
    if targets.ndim != 2:
        raise InputError(
            f"Targets must be (N, L), one row per image and one column per finding; got {targets.shape}."
        )
    return targets > 0.5  # NaN and −1 are not


def counts(targets: np.ndarray) -> LabelCounts:
    """Count positive, uncertain, negative and blank targets (N, L) of 1, 0, −1, NaN, per finding.

    Example:
        >>> counts(np.array([[1, 0], [-1, np.nan]])).uncertain.tolist()
        [1, 0]
    """
    present = positives(targets).sum(0)
    uncertain = (targets < 0).sum(0)
    blank = np.isnan(targets).sum(0)
    return LabelCounts(present, uncertain, len(targets) - present - uncertain - blank, blank)


def irlbl(targets: np.ndarray) -> np.ndarray:
    """Imbalance ratio per label (IRLbl): positives of the most frequent finding over those of each.

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
    """MeanIR: the mean of IRLbl over the findings with a positive; NaN without one.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091.
    """
    return ratio_summary(positives(targets).sum(0))[0]


def cvir(targets: np.ndarray) -> float:
    """CVIR: the standard deviation of IRLbl (with L − 1) over MeanIR; 0 for equally frequent findings.

    Returns:
        NaN where fewer than two findings have a positive.

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
    """SCUMBLE: concurrence of rare and frequent findings in the same images, per image and on average.

    ``1 − (Π IRLbl)^(1/k) / (Σ IRLbl / k)`` over the k findings present in an image: an Atkinson index, 0
    where they are equally rare, towards 1 where a rare one occurs with frequent ones. Where the mean is high
    (Charte et al.: above 0.1), oversampling images with a rare finding oversamples frequent ones, too.

    Returns:
        Values (N,), NaN for an image without findings (undefined in the paper), and the mean of the others.

    Reference:
        Charte et al. 2014, doi:10.1007/978-3-319-07617-1_10.
    """
    present = positives(targets)
    ratios = np.nan_to_num(_ratios(present.sum(0)), nan=1.0)
    count = present.sum(1)
    with np.errstate(invalid="ignore"):
        geometric = np.exp(present @ np.log(ratios) / count)
        values = 1 - geometric / (present @ ratios / count)
    # Rounding can make the index of equal ratios slightly negative; 0 / 0 stays NaN.
    values = values.clip(min=0)
    known = values[count > 0]
    return values, float(known.mean()) if len(known) else float("nan")


def cooccurrence(targets: np.ndarray) -> np.ndarray:
    """Number of images with both findings: (L, L) integers, symmetric, n₊ on the diagonal."""
    present = positives(targets).astype(np.float32)
    # Fast and exact: float32 represents integers up to 2²⁴.
    return (present.T @ present).astype(np.int64)


def conditional(targets: np.ndarray) -> np.ndarray:
    """P(column present | row present): (L, L), NaN in the row of a finding without positives."""
    both = cooccurrence(targets)
    with np.errstate(invalid="ignore"):
        return both / np.diag(both)[:, None]


def lift(targets: np.ndarray) -> np.ndarray:
    """Lift: co-occurrence of two findings relative to independence, ``N·n(a, b) / (n(a)·n(b))``.

    Returns:
        (L, L), symmetric; 1 for independent findings, N / n₊ on the diagonal; NaN where one has no
        positives.
    """
    both = cooccurrence(targets)
    each = np.diag(both).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return len(targets) * both / np.outer(each, each)


def labels_per_image(targets: np.ndarray) -> np.ndarray:
    """Number of images with 0, 1, … L findings: (L + 1,) integers that sum to N."""
    present = positives(targets)
    return np.bincount(present.sum(1), minlength=present.shape[1] + 1)


def hierarchy_violations(
    targets: np.ndarray, labels: Sequence[str], *, hierarchy: Mapping[str, str] = HIERARCHY
) -> list[Violation]:
    """Count violations of the hierarchy: one record per child whose parent is also among the labels.

    Args:
        targets: (N, L) of 1, 0, −1, NaN.
        labels: the L findings, in any known spelling.
        hierarchy: child → parent.
    """
    present = positives(targets)
    columns = finding_columns(labels)
    violations = []
    for child, parent in hierarchy.items():
        child_column, parent_column = columns.get(finding_key(child)), columns.get(finding_key(parent))
        if child_column is not None and parent_column is not None:
            parents = targets[present[:, child_column], parent_column]
            uncertain, blank = int((parents < 0).sum()), int(np.isnan(parents).sum())
            negative = int(((parents >= 0) & (parents <= 0.5)).sum())
            violations.append(Violation(child, parent, len(parents), negative, uncertain, blank))
    return violations


def _ratios(present: np.ndarray) -> np.ndarray:
    """IRLbl (L,) of the numbers of positives (L,)."""
    return np.where(present > 0, present.max(initial=0) / np.maximum(present, 1), np.nan)
