"""Curves of one finding for several systems as JSON values: vertices, bands, counts at thresholds."""

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
_MANY: Final = 30_000  # images above which fewer resamples do


def resample_count(images: int) -> int:
    """Resamples of an interval: 1,000, or of many images 200, whose intervals are narrow anyway."""
    return 1000 if images <= _MANY else 200


def curve_data(systems: Sequence[System], finding: str, rule: str) -> FindingData:
    """Everything the curves need.

    Args:
        systems: on the same images.
        finding: a label of theirs.
        rule: key of ``THRESHOLDS``: where the slider starts.
    """
    column = systems[0].shown.labels.index(finding)
    truth = systems[0].shown.targets[:, column]
    marks = [_marks(system, column) for system in systems]
    exact = np.array([mark["at"] for own in marks for mark in own] + [s.thresholds[column] for s in systems])
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
            _system(system, column, steps, index, own)
            for index, (system, own) in enumerate(zip(systems, marks, strict=True))
        ],
    }


def digest(system: System, columns: slice | list[int] | None = None) -> str:
    """Names what a system's figures depend on: two of equal content share a cache entry."""
    at = slice(None) if columns is None else columns
    whole = hashlib.sha256(np.ascontiguousarray(system.shown.targets[:, at]).tobytes())
    for array in (system.shown.scores[:, at], system.calls[:, at], system.thresholds[at]):
        whole.update(np.ascontiguousarray(array).tobytes())
    whole.update("\n".join(system.shown.patients).encode())
    return whole.hexdigest()


def _system(system: System, column: int, steps: np.ndarray, index: int, marks: list[MarkData]) -> SystemData:
    truth, scores = system.shown.targets[:, column], system.shown.scores[:, column]
    counted = tally(truth, scores, steps)
    called = system.calls[:, column]
    roc, pr, words = _curves(digest(system, [column]), system, column)
    return {
        "id": system.name,
        "title": system.title,
        "colour": COLOURS[index % len(COLOURS)],
        "graded": system.graded,
        "threshold": float(system.thresholds[column]),
        "roc": _curve(roc, words["auroc"] if system.graded else ""),
        "pr": _curve(pr, words["average_precision"] if system.graded else ""),
        "hits": counted.hits.tolist(),
        "alarms": counted.false_alarms.tolist(),
        "fixed": {"hits": int((called & (truth == 1)).sum()), "alarms": int((called & (truth == 0)).sum())},
        "marks": marks,
        "scores": {
            "present": _shares(scores[truth == 1]),
            "absent": _shares(scores[truth == 0]),
        },
    }


@st.cache_data(max_entries=400, show_spinner="Drawing curves, with bands by resampling patients …")
def _curves(key: str, _system: System, column: int) -> tuple[Band, Band, dict[str, str]]:
    shown = _system.shown
    one = shown.columns((shown.labels[column],))
    found = measure(
        one,
        _system.thresholds[[column]],
        ("auroc", "average_precision"),
        count=resample_count(len(one)),
    )
    words = {
        name: f"{_short(value.estimate[0])} [{_short(value.low[0])}, {_short(value.high[0])}]"
        for name, value in found.items()
    }
    return *bands(one.targets[:, 0], one.scores[:, 0], one.patients), words


def _marks(system: System, column: int) -> list[MarkData]:
    """Where each rule puts the threshold, fitted where thresholds are fitted."""
    if not system.graded:
        return []
    own = system.fitted.columns((system.fitted.labels[column],))
    return [
        {
            "rule": name,
            "title": rule.title,
            "at": float(rule.fit(own.targets, own.scores)[0]),
            "says": rule.summary,
        }
        for name, rule in THRESHOLDS.items()
    ]


def _curve(band: Band, words: str) -> CurveData:
    return {
        "x": _plain(band.x),
        "y": _plain(band.y),
        "low": _plain(band.low),
        "high": _plain(band.high),
        "words": words,
    }


def _plain(values: np.ndarray) -> list[float | None]:
    """For JSON: NaN as null, and no more digits than pixels show."""
    return [None if np.isnan(value) else round(float(value), 5) for value in values]


def _shares(scores: np.ndarray) -> list[float]:
    counts, _ = np.histogram(scores, bins=_BINS, range=(0, 1))
    shares: list[float] = (counts / max(1, len(scores))).round(5).tolist()
    return shares


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}".removeprefix("0")
