"""What a quiz is made from: models with stored predictions of phantoms, and the films they scored."""

from dataclasses import dataclass
from functools import lru_cache
from math import nan
from pathlib import Path
from typing import Final

import numpy as np

from cxrbench.app.services.shipped_films import shipped_paths
from cxrbench.data.phantom import FINDINGS
from cxrbench.data.phantom.shipped import shipped_film
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, read_predictions
from cxrbench.labels import canonical
from cxrbench.models import catalog
from cxrbench.teaching.quiz import Quiz, QuizSettings, ScoredFilms, plan_quiz

__all__ = ["QuizModel", "planned_quiz", "quiz_models"]

_SPLIT: Final = "test"  # films that no model was trained on


@dataclass(frozen=True)
class QuizModel:
    """A model that can be the AI of a quiz.

    Args:
        name: of the model.
        title: on the page, unique among the models.
        thresholds: finding that phantoms can have → its operating point.
        predictions: file of its stored predictions.
    """

    name: str
    title: str
    thresholds: dict[str, float]
    predictions: Path


def quiz_models() -> dict[str, QuizModel]:
    """Title → model with stored predictions, shipped ones first; reads no weights and imports no torch."""
    models: dict[str, QuizModel] = {}
    for entry in catalog.scan():
        if entry.spec is None or entry.predictions is None:
            continue
        named = zip(map(canonical, entry.spec.labels), entry.spec.thresholds, strict=True)
        thresholds = {label: threshold for label, threshold in named if label in FINDINGS}
        title = entry.spec.title or entry.spec.name
        title = entry.spec.name if title in models else title
        models[title] = QuizModel(entry.spec.name, title, thresholds, entry.predictions)
    return models


def planned_quiz(settings: QuizSettings, model: QuizModel) -> Quiz:
    """The films of a quiz with the answers of a model; cached for all sessions until its predictions change.

    Raises:
        InputError: the predictions cannot be read or are of other films, or there are not enough films.
    """
    threshold = model.thresholds[settings.finding]
    return _planned(settings, model.title, threshold, model.predictions, model.predictions.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _planned(settings: QuizSettings, title: str, threshold: float, file: Path, changed: int) -> Quiz:
    predictions, paths = _scored(title, file, changed)
    column = predictions.columns((settings.finding,))
    known = ~np.isnan(column.targets[:, 0])
    films = ScoredFilms(
        names=[path for path, kept in zip(paths, known, strict=True) if kept],
        present=column.targets[known, 0] == 1,
        scores=column.scores[known, 0],
        threshold=threshold,
        severity=lambda path: _severities(path).get(settings.finding, nan),
    )
    return plan_quiz(settings, films)


@lru_cache(maxsize=8)
def _scored(title: str, file: Path, changed: int) -> tuple[Predictions, list[str]]:
    """The predictions of the frontal test films, and the films' names."""
    predictions = read_predictions(file).split(_SPLIT)
    predictions = predictions.take((predictions.table["view"] == "frontal").to_numpy())
    paths = shipped_paths(list(predictions.table["path"]), predictions.targets, predictions.labels)
    if paths is None:
        raise InputError(
            f"The stored predictions of {title} are not of the shipped models' phantoms, whose films can be "
            "rendered again; choose another model for the quiz."
        )
    return predictions, paths


@lru_cache(maxsize=8192)
def _severities(path: str) -> dict[str, float]:
    """Finding → severity on a film; drawn again, which takes milliseconds."""
    return shipped_film(path)[0].findings
