"""Curves of one finding for several systems as JSON values: vertices, bands, confusion counts."""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.performance.curves.schema import CurveData, FindingData, MarkData, SystemData
from cxrbench.evaluation import System, measure
from cxrbench.evaluation.bands import Band, bands, cuts, tally
from cxrbench.figures.charts import COLOURS
from cxrbench.inference import THRESHOLDS

__all__ = ["curve_data", "digest", "resample_count"]

_BINS: Final = 40
_MANY_IMAGES: Final = 30_000  # above it fewer resamples suffice


def resample_count(images: int) -> int:
    """Number of bootstrap resamples: 1,000, or 200 for many images, whose intervals are narrow anyway."""
    return 1000 if images <= _MANY_IMAGES else 200


def curve_data(systems: Sequence[System], finding: str, rule: str) -> FindingData:
    """Return the data of the curves component.

    Args:
        systems: models and ensembles, on the same images.
        finding: one of their labels.
        rule: key of ``THRESHOLDS``; its threshold is the slider's initial value.
    """
    column = systems[0].shown.labels.index(finding)
    truth = systems[0].shown.targets[:, column]
    marks = [_marks(system, column) for system in systems]
    exact = np.array(
        [mark["at"] for system_marks in marks for mark in system_marks]
        + [system.thresholds[column] for system in systems]
    )
    graded = [system.shown.scores[:, column] for system in systems if system.graded]
    steps = cuts(*(graded or [systems[0].shown.scores[:, column]]), marked=exact)
    return {
        "finding": finding,
        "rule": rule,
        "positives": int((truth == 1).sum()),
        "negatives": int((truth == 0).sum()),
        "grid": np.linspace(0, 1, 101).tolist(),
        "steps": steps.tolist(),
        "systems": [
            _system(system, column, steps, index, system_marks)
            for index, (system, system_marks) in enumerate(zip(systems, marks, strict=True))
        ],
    }


def digest(system: System, columns: slice | list[int] | None = None) -> str:
    """Return a hash of everything that a system's metrics depend on: a key for caches."""
    selected = slice(None) if columns is None else columns
    hasher = hashlib.sha256(np.ascontiguousarray(system.shown.targets[:, selected]).tobytes())
    for array in (system.shown.scores[:, selected], system.calls[:, selected], system.thresholds[selected]):
        hasher.update(np.ascontiguousarray(array).tobytes())
    hasher.update("\n".join(system.shown.patients).encode())
    return hasher.hexdigest()


def _system(system: System, column: int, steps: np.ndarray, index: int, marks: list[MarkData]) -> SystemData:
    truth, scores = system.shown.targets[:, column], system.shown.scores[:, column]
    counts = tally(truth, scores, steps)
    predicted = system.calls[:, column]
    roc, pr, captions = _curves(digest(system, [column]), system, column)
    return {
        "id": system.name,
        "title": system.title,
        "colour": COLOURS[index % len(COLOURS)],
        "graded": system.graded,
        "threshold": float(system.thresholds[column]),
        "roc": _curve(roc, captions["auroc"] if system.graded else ""),
        "pr": _curve(pr, captions["average_precision"] if system.graded else ""),
        "hits": counts.hits.tolist(),
        "alarms": counts.false_alarms.tolist(),
        "fixed": {
            "hits": int((predicted & (truth == 1)).sum()),
            "alarms": int((predicted & (truth == 0)).sum()),
        },
        "marks": marks,
        "scores": {
            "present": _shares(scores[truth == 1]),
            "absent": _shares(scores[truth == 0]),
        },
    }


@st.cache_data(max_entries=400, show_spinner="Computing curves and their confidence bands …")
def _curves(key: str, _system: System, column: int) -> tuple[Band, Band, dict[str, str]]:
    shown = _system.shown
    predictions = shown.columns((shown.labels[column],))
    intervals = measure(
        predictions,
        _system.thresholds[[column]],
        ("auroc", "average_precision"),
        count=resample_count(len(predictions)),
    )
    captions = {
        name: f"{_short(value.estimate[0])} [{_short(value.low[0])}, {_short(value.high[0])}]"
        for name, value in intervals.items()
    }
    return *bands(predictions.targets[:, 0], predictions.scores[:, 0], predictions.patients), captions


def _marks(system: System, column: int) -> list[MarkData]:
    """Return each rule's threshold, fitted on the images that thresholds are fitted on."""
    if not system.graded:
        return []
    fitted = system.fitted.columns((system.fitted.labels[column],))
    return [
        {
            "rule": name,
            "title": rule.title,
            "at": float(rule.fit(fitted.targets, fitted.scores)[0]),
            "says": rule.summary,
        }
        for name, rule in THRESHOLDS.items()
    ]


def _curve(band: Band, words: str) -> CurveData:
    return {
        "x": _json_values(band.x),
        "y": _json_values(band.y),
        "low": _json_values(band.low),
        "high": _json_values(band.high),
        "words": words,
    }


def _json_values(values: np.ndarray) -> list[float | None]:
    """Values for JSON: NaN as null, rounded to the digits that pixels can show."""
    return [None if np.isnan(value) else round(float(value), 5) for value in values]


def _shares(scores: np.ndarray) -> list[float]:
    counts, _ = np.histogram(scores, bins=_BINS, range=(0, 1))
    shares: list[float] = (counts / max(1, len(scores))).round(5).tolist()
    return shares


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}".removeprefix("0")
