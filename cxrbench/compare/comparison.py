"""The values of a comparison, shared by the page, the CLI, bundles and the gallery."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cxrbench.preprocess import Box, Preprocessing

__all__ = ["FILM_VIEWS", "Comparison", "HeatMaps", "Prediction", "Settings"]

FILM_VIEWS: Final = ("PA", "AP", "Lateral")


@dataclass(frozen=True)
class Settings:
    """What was asked: everything needed to compute the same comparison again.

    Args:
        models: names of models, in the order shown.
        methods: keys of ``METHODS``, in the order shown.
        stage: which feature map CAMs read, counted from the last (0 = last, 1 = one before …), so that one
            choice means something on every model.
        baseline: of integrated gradients: ``black``, ``mean`` or ``blur``.
        steps: of integrated gradients.
    """

    models: tuple[str, ...]
    methods: tuple[str, ...]
    stage: int = 0
    baseline: str = "black"
    steps: int = 50


@dataclass(frozen=True)
class Prediction:
    """What one model says about one radiograph.

    Args:
        model: its name.
        revision: which weights: a hash or tag.
        labels: the model's labels; outputs without a name are left out, here and below.
        logits: (L,).
        scores: (L,) in [0, 1].
        thresholds: (L,) operating points.
        seconds: of preprocessing and the forward pass; NaN where it was not timed.
        title: of the model, for people; "" where it has none.
    """

    model: str
    revision: str
    labels: tuple[str, ...]
    logits: np.ndarray
    scores: np.ndarray
    thresholds: np.ndarray
    seconds: float
    title: str = ""


@dataclass(frozen=True)
class HeatMaps:
    """One method on one model: the maps of all its findings.

    Args:
        model: its name.
        method: a key of ``METHODS``.
        stage: the feature map it read; None for methods that read none.
        labels: one name per map: every label of the model, so that switching the finding computes nothing.
        maps: (L, h, w) float32, signed, not normalised, on the method's own grid over the network's input.
        preprocessing: of the images that the maps are of.
        box: the part of the film that was cropped to, where the recipe crops by what it sees; else None.
        seconds: what all the maps together took; NaN where it was not timed.
        progress: steps done ÷ steps asked; below 1 the maps are still being refined, or were stopped.
        completeness: (L,) relative completeness error; NaN where the method defines none.
        stable: (L,) bool, False where a relative perturbation of 1e-6 changes the map visibly; empty where
            that is not known.
        problem: why the method does not apply to this model; then ``maps`` is empty (0, 0, 0).
        title: the method as papers write it.
        signed: both signs are drawn, about zero; otherwise the negative part is cut off (ReLU).
        remarks: what is so by construction, whatever the radiograph: sentences for the cell.
    """

    model: str
    method: str
    stage: str | None
    labels: tuple[str, ...]
    maps: np.ndarray
    preprocessing: Preprocessing
    seconds: float
    progress: float = 1.0
    completeness: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    stable: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    problem: str | None = None
    title: str = ""
    signed: bool = False
    remarks: tuple[str, ...] = ()
    box: Box | None = None

    def on_film(self, maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Maps (K, h, w) over the network's input → (K, H, W) over the film, NaN where nothing was seen."""
        return self.preprocessing.to_original(maps, shape, self.box)

    def of(self, finding: str) -> np.ndarray | None:
        """The raw map (h, w) of one finding; None where the model has no such label or there are no maps."""
        if finding not in self.labels or self.problem is not None:
            return None
        return self.maps[self.labels.index(finding)]


@dataclass(frozen=True)
class Comparison:
    """One radiograph, seen by several models and explained by several methods.

    Args:
        image: (H, W) float32 grey in [0, 1].
        source: where it came from: a gallery case's id, or the SHA-256 of the uploaded bytes.
        settings: what was asked.
        predictions: by model.
        heat_maps: by (model, method).
        masks: finding → (H, W) bool, where the truth is known; empty where it is not.
        truth: finding → 1, 0, where the truth is known; empty where it is not.
        note: what the reader of the film's file had to decide (``Radiograph.note``); "" if nothing.
        findings: those shown, in the order shown; empty where none was chosen.
        view: one of ``FILM_VIEWS``; "" where it is not known.
    """

    image: np.ndarray
    source: str
    settings: Settings
    predictions: Mapping[str, Prediction]
    heat_maps: Mapping[tuple[str, str], HeatMaps]
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    truth: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    findings: tuple[str, ...] = ()
    view: str = ""
