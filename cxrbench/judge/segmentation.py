"""From a map to a segmentation, as CheXlocalize does it, and the overlap of two segmentations."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import cv2
import numpy as np

from cxrbench.errors import InputError
from cxrbench.judge.maps import defined

__all__ = [
    "PROBABILITY_CUTOFFS",
    "SEGMENTATION_THRESHOLDS",
    "best_probability_cutoff",
    "best_segmentation_threshold",
    "cutoff_means",
    "iou",
    "keep_above_cutoff",
    "min_max",
    "otsu_segmentation",
    "threshold_means",
    "threshold_segmentation",
]

# Candidates of CheXlocalize, as its code makes them: seven thresholds of the map, nine of the probability.
SEGMENTATION_THRESHOLDS: Final[tuple[float, ...]] = tuple(np.arange(0.2, 0.8, 0.1).tolist())
PROBABILITY_CUTOFFS: Final[tuple[float, ...]] = tuple(np.arange(0, 0.9, 0.1).tolist())


def min_max(relevance: np.ndarray) -> np.ndarray:
    """Scale a map (H, W) to [0, 1] by its minimum and maximum, in its own precision; all 0 if constant."""
    shifted: np.ndarray = relevance - relevance.min()
    largest = shifted.max()
    return shifted / largest if largest > 0 else shifted


def otsu_segmentation(relevance: np.ndarray) -> np.ndarray:
    """The segmentation of a map by Otsu's threshold: min–max → 8 bits → Otsu → contours, filled.

    Holes are filled, since the contours around them are filled as well; single pixels are dropped.

    Args:
        relevance: (H, W), enlarged to the size of the film. CheXlocalize passes maps without negative values.

    Returns:
        (H, W) bool; empty for a constant map, and for one with values that are not finite.

    Reference: Saporta et al. 2022, doi:10.1038/s42256-022-00536-x; Otsu 1979, doi:10.1109/TSMC.1979.4310076.
    """
    if not defined(relevance) or relevance.max() == relevance.min():
        return np.zeros(relevance.shape, bool)
    levels = (255 * min_max(relevance)).astype(np.uint8)
    _, binary = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return _filled(binary)


def _filled(binary: np.ndarray) -> np.ndarray:
    """The contours of a binary image, filled, (H, W) bool: CheXlocalize traces them and draws polygons.

    That gives the regions, connected through edges and corners, of more than one pixel, with their holes,
    which are connected through edges only. Found as such it takes milliseconds instead of, for the many
    contours of a fine map on a large film, many seconds.
    """
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    large = statistics[:, cv2.CC_STAT_AREA] > 1
    large[0] = False  # the background
    outside = np.pad(~large[regions], 1, constant_values=True).astype(np.uint8)
    _, parts = cv2.connectedComponents(outside, connectivity=4)
    filled: np.ndarray = parts[1:-1, 1:-1] != parts[0, 0]
    return filled


def threshold_segmentation(relevance: np.ndarray, threshold: float) -> np.ndarray:
    """The segmentation of a map by a threshold of its min–max scaled values: (H, W) bool.

    Args:
        relevance: (H, W).
        threshold: in [0, 1); pixels above it belong to the segmentation. None belongs to that of a constant
            map.
    """
    if not defined(relevance):
        return np.zeros(relevance.shape, bool)
    scaled: np.ndarray = min_max(relevance)
    return scaled > float(threshold)  # in the map's precision, as in CheXlocalize


def iou(predicted: np.ndarray, truth: np.ndarray, *, true_positives_only: bool = True) -> float:
    """Intersection over union of two masks (H, W).

    Args:
        predicted: bool.
        truth: bool.
        true_positives_only: NaN if either mask is empty, as in CheXlocalize's main evaluation. Otherwise NaN
            only if both are: a finding that was missed, or segmented where there is none, scores 0.

    Raises:
        InputError: the shapes differ.
    """
    first, second = np.asarray(predicted, bool), np.asarray(truth, bool)
    if first.shape != second.shape:
        raise InputError(f"Two masks must have one shape; got {first.shape} and {second.shape}.")
    union = int((first | second).sum())
    if not union or (true_positives_only and not (first.any() and second.any())):
        return float("nan")
    return int((first & second).sum()) / union


def threshold_means(
    relevances: Iterable[np.ndarray],
    masks: Iterable[np.ndarray],
    thresholds: Sequence[float] = SEGMENTATION_THRESHOLDS,
) -> np.ndarray:
    """Mean IoU of one finding at each threshold, (T,); NaN if no image has a mask and a segmentation.

    Args:
        relevances: one map (H, W) per image, of any sizes; read once, so that they need not be held together.
        masks: one mask (H, W) per image.
        thresholds: candidates.
    """
    values = [
        [iou(threshold_segmentation(each, threshold), mask) for threshold in thresholds]
        for each, mask in zip(relevances, masks, strict=True)
    ]
    return _column_means(values, len(thresholds))


def best_segmentation_threshold(
    relevances: Iterable[np.ndarray],
    masks: Iterable[np.ndarray],
    thresholds: Sequence[float] = SEGMENTATION_THRESHOLDS,
) -> float:
    """The threshold with the largest mean IoU of one finding; choose it on validation images.

    Args:
        relevances: as in ``threshold_means``.
        masks: one mask (H, W) per image.
        thresholds: candidates; the first of equally good ones is taken.

    Returns:
        The threshold; NaN if no image has a mask and a segmentation.
    """
    return _first_best(thresholds, threshold_means(relevances, masks, thresholds))


def keep_above_cutoff(
    segmentation: np.ndarray, probability: "float | np.floating[Any]", cutoff: float
) -> np.ndarray:
    """The segmentation, or an empty one where the model's probability lies below the cutoff.

    A probability equal to the cutoff keeps its segmentation here. It does not while the cutoff is chosen
    (``best_probability_cutoff``): so are the two in CheXlocalize's code.
    """
    return np.zeros_like(segmentation) if probability < cutoff else segmentation


def cutoff_means(
    segmentations: Iterable[np.ndarray],
    probabilities: Iterable["float | np.floating[Any]"],
    masks: Iterable[np.ndarray],
    cutoffs: Sequence[float] = PROBABILITY_CUTOFFS,
) -> np.ndarray:
    """Mean IoU of one finding over all images at each cutoff of the probability, (C,), to three digits.

    Images of which the probability is not above the cutoff count as not segmented; IoU is undefined only
    where there is neither a segmentation nor a mask. NaN if that holds for all images.

    Args:
        segmentations: (H, W) bool, one per image; read once, so that they need not be held together.
        probabilities: of the finding, one per image, in [0, 1]; compared in their own precision.
        masks: (H, W) bool, one per image.
        cutoffs: candidates.
    """
    values = []
    for found, probability, mask in zip(segmentations, probabilities, masks, strict=True):
        kept = iou(found, mask, true_positives_only=False)
        dropped = iou(np.zeros_like(found), mask, true_positives_only=False)
        values.append([kept if probability > cutoff else dropped for cutoff in cutoffs])
    return _column_means(values, len(cutoffs)).round(3)


def best_probability_cutoff(
    segmentations: Iterable[np.ndarray],
    probabilities: Iterable["float | np.floating[Any]"],
    masks: Iterable[np.ndarray],
    cutoffs: Sequence[float] = PROBABILITY_CUTOFFS,
) -> float:
    """The cutoff of the probability with the largest mean IoU of one finding over all images.

    Args:
        segmentations: as in ``cutoff_means``.
        probabilities: of the finding, one per image, in [0, 1].
        masks: (H, W) bool, one per image.
        cutoffs: candidates; the first of equally good ones is taken, after rounding to three digits.

    Returns:
        The cutoff; NaN if there is neither a segmentation nor a mask.
    """
    return _first_best(cutoffs, cutoff_means(segmentations, probabilities, masks, cutoffs))


def _column_means(rows: Sequence[Sequence[float]], columns: int) -> np.ndarray:
    """Means (C,) of the defined values of each column; NaN where there is none."""
    known = [column[np.isfinite(column)] for column in np.array(rows, np.float64).reshape(-1, columns).T]
    return np.array([column.mean() if column.size else np.nan for column in known])


def _first_best(candidates: Sequence[float], means: np.ndarray) -> float:
    return float("nan") if np.isnan(means).all() else float(candidates[int(np.nanargmax(means))])
