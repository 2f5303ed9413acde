"""Models and ensembles at thresholds that were fitted on validation images: one type for both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cxrbench.errors import InputError
from cxrbench.evaluation.pairs import align
from cxrbench.evaluation.predictions import Predictions
from cxrbench.inference.ensemble import ENSEMBLES, ensemble
from cxrbench.inference.thresholds import threshold

__all__ = ["VALIDATION", "System", "at_thresholds", "decisions", "fit_systems", "operating_points"]

VALIDATION: Final = "valid"  # the split that thresholds, ensembles and calibrations are fitted on


@dataclass(frozen=True, eq=False)
class System:
    """A model, or an ensemble of several, with its decisions for N images.

    Args:
        name: of the model, or key of `ENSEMBLES`.
        title: for tables.
        summary: of an ensemble, how it combines its models; "" for a model.
        shown: predictions of the images that are evaluated; of an ensemble the combined scores, or the shares
            of votes.
        fitted: predictions of the images that the thresholds were fitted on; ``shown`` itself where there are
            no others.
        thresholds: (L,) operating points; an ensemble that votes does not make its decisions by them.
        calls: (N, L) bool, whether each finding is predicted to be present.
        graded: whether the scores are graded, so that a ROC curve has meaning; votes are not.
        ensemble: whether it is an ensemble.
    """

    name: str
    title: str
    summary: str
    shown: Predictions
    fitted: Predictions
    thresholds: np.ndarray
    calls: np.ndarray
    graded: bool = True
    ensemble: bool = False


def fit_systems(
    predictions: Mapping[str, Predictions],
    *,
    split: str = "test",
    rule: str = "youden",
    ensembles: Sequence[str] = tuple(ENSEMBLES),
    members: Collection[str] | None = None,
    fit_on_shown: bool = False,
) -> list[System]:
    """Every model, then the ensembles of them, fitted on the validation images and applied to another split.

    Args:
        predictions: name → predictions of all splits; matched by path where there are several.
        split: which images are evaluated.
        rule: a key of `THRESHOLDS`, which chooses one threshold per finding.
        ensembles: keys of `ENSEMBLES`; there are none of fewer than two models.
        members: which of the models the ensembles combine; None for all.
        fit_on_shown: fit on the evaluated images where a model has no validation images, or where these are
            the ones that are evaluated. Metrics at a threshold are then optimistic.

    Raises:
        InputError: a split is missing, the models have no image or finding in common, or a key is unknown.
    """
    models = list(predictions.values())
    apart = split != VALIDATION and all(VALIDATION in model.splits for model in models)
    if not (apart or fit_on_shown):
        _refuse(models, split)
    evaluated = [model.split(split) for model in models]
    if not any(map(len, evaluated)):
        raise InputError(f"There is no image of the split {split!r}; choose another.")
    shown = _aligned(evaluated)
    fitted = _aligned([model.split(VALIDATION) for model in models]) if apart else shown
    sides = zip(predictions, shown, fitted, strict=True)
    systems = [_model(name, part, validation, rule) for name, part, validation in sides]
    wanted = predictions if members is None else members
    chosen = [system for system in systems if system.name in wanted]
    return systems + ([_ensemble(key, chosen, rule) for key in ensembles] if len(chosen) > 1 else [])


def at_thresholds(name: str, predictions: Predictions, thresholds: Sequence[float] | np.ndarray) -> System:
    """A model at its own thresholds (L,), where there are no validation images to fit others on."""
    cuts = np.asarray(thresholds, np.float64)
    return System(name, name, "", predictions, predictions, cuts, predictions.scores >= cuts)


def decisions(system: System) -> Predictions:
    """Predictions whose metrics at `operating_points` are those of the system's decisions.

    Votes need care: where ties are broken, the share of models that predict a finding is not cut at one half.
    """
    if system.graded:
        return system.shown
    return replace(system.shown, scores=system.calls.astype(np.float32))


def operating_points(system: System) -> np.ndarray:
    """(L,) thresholds of the scores of `decisions`."""
    return system.thresholds if system.graded else np.full(len(system.shown.labels), 0.5)


def _refuse(models: Sequence[Predictions], split: str) -> None:
    """Thresholds must not come from the images that are evaluated."""
    lacking = next((model.name for model in models if VALIDATION not in model.splits), "")
    if lacking:
        raise InputError(
            f"{lacking} has no images of the split {VALIDATION!r}; they are needed to choose thresholds, and "
            f"those of {split!r} to evaluate."
        )
    raise InputError(f"Thresholds are fitted on the split {VALIDATION!r}; choose another one to evaluate.")


def _aligned(models: Sequence[Predictions]) -> list[Predictions]:
    """On common images; a single model needs no paths to be matched by."""
    return list(align(models)) if len(models) > 1 else list(models)


def _model(name: str, shown: Predictions, fitted: Predictions, rule: str) -> System:
    cuts = threshold(rule).fit(fitted.targets, fitted.scores)
    return System(name, shown.name or name, "", shown, fitted, cuts, shown.scores >= cuts)


def _ensemble(key: str, members: Sequence[System], rule: str) -> System:
    record, fit = ensemble(key), threshold(rule).fit
    shown, fitted = members[0].shown, members[0].fitted
    predict = record.fit(fitted.targets, np.stack([member.fitted.scores for member in members]), fit)

    def combined(side: Predictions, scores: Sequence[np.ndarray]) -> tuple[Predictions, np.ndarray]:
        found = predict(np.stack(scores))
        return replace(side, scores=found.scores.astype(np.float32), name=record.title), found.calls

    own_shown, calls = combined(shown, [member.shown.scores for member in members])
    own_fitted = own_shown
    if fitted is not shown:
        own_fitted, _ = combined(fitted, [member.fitted.scores for member in members])
    graded = record.family == "CTP"
    cuts = fit(own_fitted.targets, own_fitted.scores) if graded else np.full(len(shown.labels), 0.5)
    return System(
        key, record.title, record.summary, own_shown, own_fitted, cuts, calls, graded=graded, ensemble=True
    )
