"""Stored or uploaded predictions, and the models and ensembles built from them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, align, read_predictions
from cxrbench.inference import ENSEMBLES, THRESHOLDS
from cxrbench.models import catalog

__all__ = [
    "FIT",
    "Question",
    "Stored",
    "System",
    "own_predictions",
    "planted_shortcut",
    "predictions",
    "stored",
    "systems",
]

FIT: Final = "valid"  # the split that thresholds, weights and calibrations are fitted on


@dataclass(frozen=True)
class Stored:
    """Predictions beside a model: where they are, and how the page calls the model."""

    name: str
    title: str
    file: Path


@dataclass(frozen=True, eq=False)
class System:
    """Something that answers for every image: a model, or several as one.

    Args:
        name: its key.
        title: how the page calls it.
        says: how it comes to its answer; "" for a model.
        shown: predictions of the images that are shown.
        fitted: those of the images that thresholds come from.
        thresholds: (L,) operating points; a PTC ensemble's calls are not made by them.
        calls: (N, L) bool, what it calls present.
        graded: whether its scores are graded, so that a curve of them has meaning.
    """

    name: str
    title: str
    says: str
    shown: Predictions
    fitted: Predictions
    thresholds: np.ndarray
    calls: np.ndarray
    graded: bool


@dataclass(frozen=True)
class Question:
    """What the reader asked of the predictions.

    Args:
        models: names of models.
        ensembles: keys of ``ENSEMBLES``, over these models.
        split: which images are shown.
        rule: key of ``THRESHOLDS``.
        members: those of the models that the ensembles are made of; None for all of them.
    """

    models: tuple[str, ...]
    ensembles: tuple[str, ...]
    split: str
    rule: str
    members: tuple[str, ...] | None = None


def stored() -> dict[str, Stored]:
    """Every model with predictions beside it, shipped ones first; opens no weights and imports no torch."""
    return {
        found.spec.name: Stored(found.spec.name, found.spec.title or found.spec.name, found.predictions)
        for found in catalog.scan()
        if found.spec and found.predictions
    }


def predictions(entry: Stored) -> Predictions:
    """The stored predictions, read once for all sessions until the file changes.

    Raises:
        InputError: the file is damaged.
    """
    about = entry.file.stat()
    return replace(_read(str(entry.file), about.st_mtime_ns, about.st_size), name=entry.title)


@st.cache_resource(max_entries=16, show_spinner="Reading predictions …")
def _read(file: str, changed: int, size: int) -> Predictions:
    return read_predictions(Path(file))


def planted_shortcut(entry: Stored) -> bool:
    """Whether the model was trained on a planted shortcut: its evaluation says what is left without it."""
    try:
        figures = json.loads(entry.file.with_name("evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(figures, dict) and "shortcut" in figures


def own_predictions(data: bytes, name: str) -> Predictions:
    """The reader's file, kept by its content.

    Raises:
        InputError: what is wrong with it, in one sentence.
    """
    return _own(hashlib.sha256(data).hexdigest(), data, name)


@st.cache_resource(max_entries=8, show_spinner="Reading your predictions …")
def _own(sha256: str, _data: bytes, name: str) -> Predictions:
    return read_predictions(_data, name)


def systems(given: Mapping[str, Predictions], question: Question) -> list[System]:
    """The models and ensembles that the reader asked for, on the same images and findings.

    Thresholds, weights and the like are fitted on the validation images; where there are none, on those that
    are shown, and ``fitted`` then is ``shown``.

    Args:
        given: name → predictions of all splits.
        question: what is asked.

    Raises:
        InputError: the predictions have no image or finding in common, or none of that split.
    """
    chosen = [given[name] for name in question.models]
    apart = question.split != FIT and all(FIT in one.splits for one in chosen)
    shown = _together([one.split(question.split) for one in chosen])
    fitted = _together([one.split(FIT) for one in chosen]) if apart else shown
    if apart and fitted[0].labels != shown[0].labels:
        labels = tuple(label for label in shown[0].labels if label in fitted[0].labels)
        shown, fitted = ([one.columns(labels) for one in side] for side in (shown, fitted))
    if not len(shown[0]):
        raise InputError(f"There is no image of the split {question.split!r}; choose another.")
    rule = THRESHOLDS[question.rule]
    made = []
    for name, here, there in zip(question.models, shown, fitted, strict=True):
        at = rule.fit(there.targets, there.scores)
        made.append(System(name, here.name or name, "", here, there, at, here.scores >= at, True))
    wanted = question.models if question.members is None else question.members
    members = [index for index, name in enumerate(question.models) if name in wanted]
    if len(members) < 2:
        return made
    shown, fitted = ([side[index] for index in members] for side in (shown, fitted))
    return made + [_ensemble(key, shown, fitted, question.rule) for key in question.ensembles]


def _together(parts: Sequence[Predictions]) -> list[Predictions]:
    """On common images; one alone needs no paths to be matched by."""
    return list(align(parts)) if len(parts) > 1 else list(parts)


def _ensemble(key: str, shown: Sequence[Predictions], fitted: Sequence[Predictions], rule: str) -> System:
    record, fit = ENSEMBLES[key], THRESHOLDS[rule].fit
    there, here = (np.stack([one.scores for one in side]) for side in (fitted, shown))
    answer = record.fit(fitted[0].targets, there, fit)
    said, back = answer(here), answer(there)
    title = f"{record.title} of {len(shown)}"
    shown_as = replace(shown[0], scores=said.scores.astype(np.float32), name=title)
    same = fitted[0] is shown[0]
    fitted_as = shown_as if same else replace(fitted[0], scores=back.scores.astype(np.float32), name=title)
    graded = record.family == "CTP"
    at = fit(fitted_as.targets, fitted_as.scores) if graded else np.full(len(shown[0].labels), 0.5)
    return System(key, title, record.summary, shown_as, fitted_as, at, said.calls, graded)
