"""The text of a panel, shared by the page, the CLI, figures and reports."""

import math
from typing import Final

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps, Prediction

__all__ = [
    "COMPLETENESS_LIMIT",
    "DISCLAIMER",
    "called",
    "caption",
    "completeness",
    "computing_time",
    "incomplete",
    "notes",
    "score_text",
]

# The largest completeness error, relative to the change of the logit, that is shown without a warning:
# Sundararajan et al. 2017 (arXiv:1703.01365, section 5) approximate "within 5%".
COMPLETENESS_LIMIT: Final = 0.05

DISCLAIMER = (
    "For teaching and research, never for diagnosis. "
    "A heat map shows what a score is sensitive to, not where a lesion is."
)


def notes(comparison: Comparison, model: str, method: str, finding: str) -> tuple[str, ...]:
    """Notes on reading one cell, most important first; empty if there are none."""
    heat = comparison.heat_maps.get((model, method))
    if heat is None:
        return ("not computed",)
    if heat.problem is not None:
        return (f"not applicable: {heat.problem}",)
    relevance = heat.map_of(finding)
    if relevance is None:
        prediction = comparison.predictions.get(model)
        if prediction is not None and finding in prediction.labels:
            return ("not computed",)
        return (f"not applicable: {model} has no output for {finding}",)
    error = completeness(heat, finding) if incomplete(heat, finding) else ""
    own = heat.finding_remarks[heat.labels.index(finding)] if heat.finding_remarks else ""
    prediction = comparison.predictions.get(model)
    above = prediction is not None and bool(called(prediction, finding))
    texts = [
        *_value_notes(relevance, heat, above=above),
        error,
        *_stability_notes(heat, finding),
        own,
        *heat.remarks,
    ]
    return tuple(note for note in texts if note)


def completeness(heat: HeatMaps, finding: str) -> str:
    """The completeness error of a finished map in words; "" where it is not defined."""
    error = _error(heat, finding)
    if math.isnan(error):
        return ""
    if incomplete(heat, finding):
        return (
            f"completeness error {error:.1%}, above {COMPLETENESS_LIMIT:.0%}: the map does not add up to the "
            "change of the logit; use more steps before relying on it"
        )
    return f"completeness error {error:.1%}: difference of the map's sum and the change of the logit"


def incomplete(heat: HeatMaps, finding: str) -> bool:
    """Whether a finished map's completeness error is above the limit; False where it is not defined."""
    return heat.progress >= 1 and _error(heat, finding) > COMPLETENESS_LIMIT


def caption(comparison: Comparison, model: str, method: str, finding: str) -> str:
    """One line that describes a cell: method, model, finding, score, time."""
    heat = comparison.heat_maps.get((model, method))
    parts = [heat.title if heat is not None and heat.title else method, model, finding]
    prediction = comparison.predictions.get(model)
    if prediction is not None:
        parts.append(score_text(prediction, finding))
    if heat is not None:
        parts.append(computing_time(heat))
    return " · ".join(part for part in parts if part)


def computing_time(heat: HeatMaps) -> str:
    """How long the maps took together; empty where that was not timed."""
    if heat.problem is not None or math.isnan(heat.seconds):
        return ""
    count = len(heat.labels)
    return f"{_duration(heat.seconds)} for {count} finding{'s' if count != 1 else ''}"


def called(prediction: Prediction, finding: str) -> bool | None:
    """Whether a score reaches its threshold; None where the model does not predict the finding."""
    if finding not in prediction.labels:
        return None
    index = prediction.labels.index(finding)
    return bool(prediction.scores[index] >= prediction.thresholds[index])


def score_text(prediction: Prediction, finding: str) -> str:
    """A score and its threshold in words; "" where the model does not predict the finding."""
    if finding not in prediction.labels:
        return ""
    index = prediction.labels.index(finding)
    score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
    side = "above" if score >= threshold else "below"
    digits = 2 if f"{score:.2f}" != f"{threshold:.2f}" else 4  # not "0.50, below its threshold 0.50"
    return f"score {score:.{digits}f}, {side} its threshold {threshold:.{digits}f}"


def _error(heat: HeatMaps, finding: str) -> float:
    """The absolute value of the relative completeness error; NaN where it is not defined."""
    if not heat.completeness.size or finding not in heat.labels:
        return math.nan
    return abs(float(heat.completeness[heat.labels.index(finding)]))


def _value_notes(relevance: np.ndarray, heat: HeatMaps, *, above: bool) -> list[str]:
    texts = []
    if not np.isfinite(relevance).all():
        texts.append("contains values that are not finite")
    elif relevance.min() == relevance.max():
        same = "constant" if relevance.max() else "zero everywhere"
        texts.append(f"{same}: it points to no place")
    elif not heat.signed and relevance.max() <= 0:
        beside = "; the score is above its threshold by what this method leaves out, such as the bias"
        texts.append(f"empty after ReLU: no value of this map is positive{beside if above else ''}")
    if heat.progress < 1:
        texts.append(f"unfinished: {heat.progress:.0%} of the steps")
    return texts


def _stability_notes(heat: HeatMaps, finding: str) -> list[str]:
    if not heat.stable.size or heat.stable[heat.labels.index(finding)]:
        return []
    return ["unstable here: a relative change of 10⁻⁶ of the image changes this map visibly"]


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
