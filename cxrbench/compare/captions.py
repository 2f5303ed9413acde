"""The text of a panel, shared by the page, the CLI, figures and reports."""

import math
from typing import Final

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps, Prediction

__all__ = [
    "COMPLETENESS_LIMIT",
    "DISCLAIMER",
    "caption",
    "completeness",
    "incomplete",
    "notes",
    "took",
    "verdict",
]

# The largest completeness error, relative to the change in score, with which integrated gradients are shown
# without a warning: Sundararajan et al. 2017 (arXiv:1703.01365, section 5) approximate "within 5%".
COMPLETENESS_LIMIT: Final = 0.05

DISCLAIMER = (
    "For teaching and research, never for diagnosis. "
    "A heat map shows what a score is sensitive to, not where a lesion is."
)


def notes(comparison: Comparison, model: str, method: str, finding: str) -> tuple[str, ...]:
    """What must be known to read one cell, most important first; empty where there is nothing to say."""
    heat = comparison.heat_maps.get((model, method))
    if heat is None:
        return ("not computed",)
    if heat.problem is not None:
        return (f"not applicable: {heat.problem}",)
    relevance = heat.of(finding)
    if relevance is None:
        return (f"not applicable: {model} has no output for {finding}",)
    missed = completeness(heat, finding) if incomplete(heat, finding) else ""
    said = [*_shape_notes(relevance, heat), missed, *_stability_notes(heat, finding), *heat.remarks]
    return tuple(note for note in said if note)


def completeness(heat: HeatMaps, finding: str) -> str:
    """How far a finished map's sum is from the change in score it explains; "" where that is not defined."""
    error = _error(heat, finding)
    if math.isnan(error):
        return ""
    if incomplete(heat, finding):
        return (
            f"completeness error {error:.1%}, above {COMPLETENESS_LIMIT:.0%}: the map's sum misses the "
            "change in score; take more steps before relying on it"
        )
    return f"completeness error {error:.1%}: how far the map's sum is from the change in score"


def incomplete(heat: HeatMaps, finding: str) -> bool:
    """Whether a finished map's completeness error is above the limit; False where none is defined."""
    return heat.progress >= 1 and _error(heat, finding) > COMPLETENESS_LIMIT


def caption(comparison: Comparison, model: str, method: str, finding: str) -> str:
    """One line that says what a cell is: method, model, finding, score, time."""
    heat = comparison.heat_maps.get((model, method))
    parts = [heat.title if heat is not None and heat.title else method, model, finding]
    prediction = comparison.predictions.get(model)
    if prediction is not None:
        parts.append(verdict(prediction, finding))
    if heat is not None:
        parts.append(took(heat))
    return " · ".join(part for part in parts if part)


def took(heat: HeatMaps) -> str:
    """How long the maps of all findings took together; empty where that was not timed."""
    if heat.problem is not None or math.isnan(heat.seconds):
        return ""
    return f"{_time(heat.seconds)} for {len(heat.labels)} findings"


def verdict(prediction: Prediction, finding: str) -> str:
    """A score beside its threshold, in words as well as numbers; empty where the model lacks the finding."""
    if finding not in prediction.labels:
        return ""
    index = prediction.labels.index(finding)
    score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
    side = "above" if score >= threshold else "below"
    digits = 2 if f"{score:.2f}" != f"{threshold:.2f}" else 4  # "0.50, below its threshold 0.50" says nothing
    return f"score {score:.{digits}f}, {side} its threshold {threshold:.{digits}f}"


def _error(heat: HeatMaps, finding: str) -> float:
    """The relative completeness error, unsigned; NaN where the method or this map defines none."""
    if not heat.completeness.size or finding not in heat.labels:
        return math.nan
    return abs(float(heat.completeness[heat.labels.index(finding)]))


def _shape_notes(relevance: np.ndarray, heat: HeatMaps) -> list[str]:
    said = []
    if not np.isfinite(relevance).all():
        said.append("holds values that are not finite")
    elif relevance.min() == relevance.max():
        said.append("constant: it singles out no place")
    elif not heat.signed and relevance.max() <= 0:
        said.append("empty after ReLU: nothing in the picture raises this score")
    if heat.progress < 1:
        said.append(f"unfinished: {heat.progress:.0%} of the steps")
    return said


def _stability_notes(heat: HeatMaps, finding: str) -> list[str]:
    if not heat.stable.size or heat.stable[heat.labels.index(finding)]:
        return []
    return ["unstable here: changing the image by a millionth changes this map visibly"]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
