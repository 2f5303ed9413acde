"""Stored or uploaded predictions, and the models and ensembles built from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from cxrbench.app.services.own_data_work import evaluated_sets, evaluations
from cxrbench.evaluation import Predictions, System, fit_systems, read_predictions
from cxrbench.evaluation.systems import VALIDATION
from cxrbench.models import catalog

__all__ = [
    "VALIDATION",
    "StoredPredictions",
    "System",
    "SystemSelection",
    "load_predictions",
    "planted_shortcut",
    "stored_predictions",
    "systems",
    "uploaded_predictions",
]


@dataclass(frozen=True)
class StoredPredictions:
    """Predictions that are stored with a model: the model's name and title, and their file."""

    name: str
    title: str
    file: Path


@dataclass(frozen=True)
class SystemSelection:
    """The selected models, ensembles, split and operating points.

    Args:
        models: names of the models.
        ensembles: keys of ``ENSEMBLES``.
        split: the images to evaluate.
        rule: key of ``THRESHOLDS``.
        members: the models that the ensembles combine; None for all.
    """

    models: tuple[str, ...]
    ensembles: tuple[str, ...]
    split: str
    rule: str
    members: tuple[str, ...] | None = None


def stored_predictions(data_set: str = "") -> dict[str, StoredPredictions]:
    """Return the stored predictions by model, shipped models first; loads no weights and imports no torch.

    Args:
        data_set: name of a data set of the user's: the predictions of models that were evaluated on it; ""
            for those that are stored with the models.
    """
    if data_set:
        titles = {entry.spec.name: entry.spec.title for entry in catalog.scan() if entry.spec}
        entry = evaluated_sets().get(data_set)
        files = evaluations(entry) if entry else {}
        return {name: StoredPredictions(name, titles.get(name) or name, file) for name, file in files.items()}
    return {
        entry.spec.name: StoredPredictions(
            entry.spec.name, entry.spec.title or entry.spec.name, entry.predictions
        )
        for entry in catalog.scan()
        if entry.spec and entry.predictions
    }


def load_predictions(entry: StoredPredictions) -> Predictions:
    """Read stored predictions; cached for all sessions until the file changes.

    Raises:
        InputError: the file is damaged.
    """
    stat = entry.file.stat()
    return replace(_read(str(entry.file), stat.st_mtime_ns, stat.st_size), name=entry.title)


@st.cache_resource(max_entries=16, show_spinner="Reading predictions …")
def _read(file: str, changed: int, size: int) -> Predictions:
    return read_predictions(Path(file))


def planted_shortcut(entry: StoredPredictions) -> bool:
    """Whether the model was trained on a planted shortcut: its evaluation then has an entry on it."""
    try:
        evaluation = json.loads(entry.file.with_name("evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(evaluation, dict) and "shortcut" in evaluation


def uploaded_predictions(data: bytes, name: str) -> Predictions:
    """Read an uploaded prediction file; cached by content.

    Raises:
        InputError: the file is invalid; the message says why.
    """
    return _uploaded(hashlib.sha256(data).hexdigest(), data, name)


@st.cache_resource(max_entries=8, show_spinner="Reading your predictions …")
def _uploaded(sha256: str, _data: bytes, name: str) -> Predictions:
    return read_predictions(_data, name)


def systems(predictions: Mapping[str, Predictions], selection: SystemSelection) -> list[System]:
    """Return the selected models and ensembles, on the same images and findings.

    Without validation images, thresholds are fitted on the evaluated images, and ``fitted`` is ``shown``.

    Args:
        predictions: name → predictions of all splits.
        selection: the selected models, ensembles, split and rule.

    Raises:
        InputError: the predictions have no image or finding in common, or none of that split.
    """
    chosen = selection.models if selection.members is None else selection.members
    members = [name for name in selection.models if name in chosen]
    fitted = fit_systems(
        {name: predictions[name] for name in selection.models},
        split=selection.split,
        rule=selection.rule,
        ensembles=selection.ensembles,
        members=members,
        fit_on_shown=True,
    )
    return [
        replace(system, title=f"{system.title} of {len(members)}") if system.ensemble else system
        for system in fitted
    ]
