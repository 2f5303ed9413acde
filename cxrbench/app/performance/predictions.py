"""Stored or uploaded predictions, and the models and ensembles built from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from cxrbench.evaluation import Predictions, System, fit_systems, read_predictions
from cxrbench.evaluation.systems import VALIDATION as FIT
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


@dataclass(frozen=True)
class Stored:
    """Predictions beside a model: where they are, and how the page calls the model."""

    name: str
    title: str
    file: Path


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
    """The chosen models and ensembles, on the same images and findings.

    Where there are no validation images, thresholds are fitted on those that are shown, and ``fitted`` then
    is ``shown``.

    Args:
        given: name → predictions of all splits.
        question: what is chosen.

    Raises:
        InputError: the predictions have no image or finding in common, or none of that split.
    """
    wanted = question.models if question.members is None else question.members
    members = [name for name in question.models if name in wanted]
    found = fit_systems(
        {name: given[name] for name in question.models},
        split=question.split,
        rule=question.rule,
        ensembles=question.ensembles,
        members=members,
        fit_on_shown=True,
    )
    return [replace(one, title=f"{one.title} of {len(members)}") if one.ensemble else one for one in found]
