"""From a map to a segmentation, as CheXlocalize does it, and the overlap of two segmentations."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw

from cxrbench.errors import InputError
from cxrbench.judge.maps import defined

__all__ = [
    "PROBABILITY_CUTOFFS",
    "SEGMENTATION_THRESHOLDS",
    "best_probability_cutoff",
    "best_segmentation_threshold",
    "iou",
    "keep_above_cutoff",
    "min_max",
    "otsu_segmentation",
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
    # Contours inside other contours add nothing: the outer ones are filled.
    contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    canvas = Image.new("1", (levels.shape[1], levels.shape[0]))
    draw = ImageDraw.Draw(canvas)
    for contour in contours:
        if len(contour) > 1:
            draw.polygon([tuple(point[0]) for point in contour.tolist()], outline=1, fill=1)
    return np.array(canvas, bool)


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
    return scaled > threshold


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


def best_segmentation_threshold(
    relevances: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    thresholds: Sequence[float] = SEGMENTATION_THRESHOLDS,
) -> float:
    """The threshold with the largest mean IoU of one finding; choose it on validation images.

    Args:
        relevances: one map (H, W) per image, of any sizes.
        masks: one mask (H, W) per image.
        thresholds: candidates; the first of equally good ones is taken.

    Returns:
        The threshold; NaN if no image has a mask and a segmentation.
    """
    means = []
    for threshold in thresholds:
        pairs = zip(relevances, masks, strict=True)
        means.append(_mean([iou(threshold_segmentation(each, threshold), mask) for each, mask in pairs]))
    return float("nan") if np.isnan(means).all() else thresholds[int(np.nanargmax(means))]


def keep_above_cutoff(segmentation: np.ndarray, probability: float, cutoff: float) -> np.ndarray:
    """The segmentation, or an empty one where the model's probability lies below the cutoff.

    A probability equal to the cutoff keeps its segmentation here. It does not while the cutoff is chosen
    (``best_probability_cutoff``): so are the two in CheXlocalize's code.
    """
    return np.zeros_like(segmentation) if probability < cutoff else segmentation


def best_probability_cutoff(
    segmentations: Sequence[np.ndarray],
    probabilities: Sequence[float],
    masks: Sequence[np.ndarray],
    cutoffs: Sequence[float] = PROBABILITY_CUTOFFS,
) -> float:
    """The cutoff of the probability with the largest mean IoU of one finding over all images.

    Images of which the probability is not above the cutoff count as not segmented; IoU is undefined only
    where there is neither a segmentation nor a mask. Means are compared after rounding to three digits.

    Args:
        segmentations: (H, W) bool, one per image.
        probabilities: of the finding, one per image, in [0, 1].
        masks: (H, W) bool, one per image.
        cutoffs: candidates; the first of equally good ones is taken.

    Returns:
        The cutoff; NaN if there is neither a segmentation nor a mask.
    """
    means = []
    for cutoff in cutoffs:
        values = [
            iou(found if probability > cutoff else np.zeros_like(found), mask, true_positives_only=False)
            for found, probability, mask in zip(segmentations, probabilities, masks, strict=True)
        ]
        means.append(round(_mean(values), 3))
    return float("nan") if np.isnan(means).all() else cutoffs[int(np.nanargmax(means))]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
