"""The values of a comparison, shared by the page, the CLI, bundles and the gallery."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cxrbench.preprocess import Box, Preprocessing

if TYPE_CHECKING:  # comparisons are read without torch
    from cxrbench.explain import ConfiguredMethod

__all__ = ["FILM_VIEWS", "Comparison", "HeatMaps", "Prediction", "Settings"]

FILM_VIEWS: Final = ("PA", "AP", "Lateral")


@dataclass(frozen=True)
class Settings:
    """The settings of a comparison: everything needed to compute it again.

    Args:
        models: names of models, in display order.
        methods: keys of ``METHODS``, in display order; parameters of a method may follow in parentheses:
            ``grad_cam(stage=1)``. So one method can occur at several settings.
        stage: of methods that read a feature map and state none: counted from the last (0 = last, 1 = the one
            before …), so that one value is valid for every model.
        baseline: of methods that have one and state none: ``black``, ``mean`` or ``blur``.
        steps: path points of methods that have them and state none.
    """

    models: tuple[str, ...]
    methods: tuple[str, ...]
    stage: int = 0
    baseline: str = "black"
    steps: int = 50

    def configured(self) -> tuple["ConfiguredMethod", ...]:
        """The methods with their parameters.

        Raises:
            InputError: an unknown method or parameter, or an invalid value.
        """
        from cxrbench.explain import configured_method

        shared = {"stage": self.stage, "baseline": self.baseline, "steps": self.steps}
        return tuple(configured_method(key, **shared) for key in self.methods)


@dataclass(frozen=True)
class Prediction:
    """The prediction of one model for one radiograph.

    Args:
        model: name of the model.
        revision: identifies the weights: a hash or tag.
        labels: the model's labels; outputs without a name are omitted, here and below.
        logits: (L,).
        scores: (L,) in [0, 1].
        thresholds: (L,) operating points.
        seconds: time of preprocessing and the forward pass; NaN if not measured.
        title: title of the model; "" if it has none.
        distance: of the radiograph from the model's training films, relative to the limit of its validation
            films (`cxrbench.inference.relative_distances`); NaN where that is not known.
    """

    model: str
    revision: str
    labels: tuple[str, ...]
    logits: np.ndarray
    scores: np.ndarray
    thresholds: np.ndarray
    seconds: float
    title: str = ""
    distance: float = math.nan


@dataclass(frozen=True)
class HeatMaps:
    """The maps of one method and one model, for all findings of the model or for those computed so far.

    Args:
        model: name of the model.
        method: a key of ``METHODS``.
        stage: stage whose feature map was read; None for methods that read none.
        labels: one name per map, in the model's order. In the gallery and on the command line these are all
            labels of the model; on the page a method may compute one finding after the other.
        maps: (L, h, w) float32, signed, not normalised, on the method's own grid over the network's input.
        preprocessing: preprocessing of the image that the maps explain.
        box: the crop of the film (top, left, bottom, right) if the preprocessing crops by content; else None.
        seconds: computing time of these maps together; NaN if not measured.
        progress: steps done ÷ total; below 1 the maps are still being refined, or were stopped.
        completeness: (L,) relative completeness error; NaN where the method defines none.
        stable: (L,) bool, False where a relative perturbation of 1e-6 changes the map visibly; empty where
            that is not known.
        problem: why the method does not apply to this model; then ``maps`` is empty (0, 0, 0).
        title: name of the method as written in papers.
        signed: whether both signs are drawn; otherwise the negative part is set to zero (ReLU).
        remarks: notes for the cell that hold for any radiograph.
        finding_remarks: (L,) the same for single findings, "" for those without; empty where there are none.
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
    finding_remarks: tuple[str, ...] = ()
    box: Box | None = None

    def on_film(self, maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Maps (K, h, w) on the network's input → (K, H, W) on the film, NaN outside the input."""
        return self.preprocessing.to_original(maps, shape, self.box)

    def only(self, findings: Collection[str]) -> "HeatMaps":
        """The maps of some findings, in the order of ``labels``; those without a map are ignored."""
        places = [place for place, label in enumerate(self.labels) if label in findings]
        return replace(
            self,
            labels=tuple(self.labels[place] for place in places),
            maps=self.maps if self.problem is not None else self.maps[places],
            completeness=self.completeness[places] if self.completeness.size else self.completeness,
            stable=self.stable[places] if self.stable.size else self.stable,
            finding_remarks=tuple(self.finding_remarks[place] for place in places if self.finding_remarks),
        )

    def map_of(self, finding: str) -> np.ndarray | None:
        """The raw map (h, w) of one finding; None where there is no map of it."""
        if finding not in self.labels or self.problem is not None:
            return None
        found: np.ndarray = self.maps[self.labels.index(finding)]
        return found


@dataclass(frozen=True)
class Comparison:
    """One radiograph with the predictions of several models, explained by several methods.

    Args:
        image: (H, W) float32 grey in [0, 1].
        source: origin of the image: a gallery case's id, or the SHA-256 of the uploaded bytes.
        settings: settings of the comparison.
        predictions: model → its prediction.
        heat_maps: (model, method) → the maps.
        masks: finding → (H, W) bool, for findings whose true extent is known.
        truth: finding → 1 or 0, for findings whose truth is known.
        note: assumptions made in reading the film's file (``Radiograph.note``); "" if none.
        findings: selected findings, in display order; empty if none was selected.
        view: one of ``FILM_VIEWS``; "" if not known.
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
