"""Ensemble maps: several models' maps of one finding as one map, and where they differ."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import heatmap, peak

__all__ = ["Blend", "Vote", "blend", "displayed", "vote"]

_COARSE: Final = 64
_GRIDS: Final = 128, 256  # longest side of the common grid: if all maps are coarse, and if one is not
_DIVIDED: Final = 1 / 3  # with a minority of this share a vote counts as divided


@dataclass(frozen=True)
class Vote:
    """The predictions of several models for one finding, taken together.

    Args:
        models: models that predict the finding, in the order of the settings.
        probability: mean of their scores (CTP).
        agreeing: number of models whose score is at or above their own threshold.
    """

    models: tuple[str, ...]
    probability: float
    agreeing: int

    @property
    def divided(self) -> bool:
        """Whether a third of the models or more disagree with the others."""
        minority = min(self.agreeing, len(self.models) - self.agreeing)
        return minority > 0 and minority >= _DIVIDED * len(self.models)


@dataclass(frozen=True)
class Blend:
    """Mean and spread of the maps of several models, for one method and one finding.

    Args:
        method: key of the method.
        title: name of the method as written in papers.
        models: the models whose maps are averaged, in the order of the settings; at least two.
        mean: (h, w) per-pixel mean of the displayed maps, in [0, 1], or [−1, 1] where they are signed.
        spread: (h, w) per-pixel standard deviation over the models (ddof 0), in [0, 1].
        box: left, top, right, bottom of the grid on the radiograph, as fractions of its sides: the area that
            is in the input of every model.
        signed: whether the maps are signed.
        missing: models of the settings without a finished map of this finding.
        correlation: mean Pearson correlation over all pairs of maps; NaN if one of them is constant.
    """

    method: str
    title: str
    models: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    box: tuple[float, float, float, float]
    signed: bool
    missing: tuple[str, ...]
    correlation: float


def vote(comparison: Comparison, finding: str) -> Vote | None:
    """The models' scores of one finding taken together; None if fewer than two models predict it.

    Reference:
        Liz et al. 2022, arXiv:2207.14408: CTP, combine then predict, averages the members' scores.
    """
    answers = [
        (name, *_score_and_threshold(comparison, name, finding))
        for name in comparison.settings.models
        if name in comparison.predictions and finding in comparison.predictions[name].labels
    ]
    if len(answers) < 2:
        return None
    scores, thresholds = (np.array([answer[column] for answer in answers]) for column in (1, 2))
    return Vote(
        models=tuple(answer[0] for answer in answers),
        probability=float(scores.mean()),
        agreeing=int((scores >= thresholds).sum()),
    )


def blend(comparison: Comparison, method: str, finding: str) -> Blend | None:
    """Mean and standard deviation over the models of the displayed maps.

    Raw relevance of different networks has no common unit, so each map is first divided by its own scale
    (``heatmap`` of ``peak``), then resized to a common grid on the radiograph, with a longest side of at most
    256, or 128 if no map is finer than 64. An empty map counts as zeros.

    Args:
        comparison: maps of several models.
        method: one of the methods of its settings.
        finding: name of the finding.

    Returns:
        The blend; None if fewer than two models have a finished map, or no pixel is in the input of all.

    Reference:
        Liz et al. 2022, arXiv:2207.14408: the mean; its authors name the deviation as a wish.
    """
    heats = {
        name: heat
        for name in comparison.settings.models
        if (heat := comparison.heat_maps.get((name, method))) is not None and _usable(heat, finding)
    }
    if len(heats) < 2:
        return None
    grid = _grid(comparison.image.shape, max(max(heat.maps.shape[1:]) for heat in heats.values()))
    maps = np.stack([displayed(heat, finding, grid) for heat in heats.values()])
    common = np.isfinite(maps).all(0)
    rows, columns = np.flatnonzero(common.any(1)), np.flatnonzero(common.any(0))
    if not rows.size:
        return None
    height, width = common.shape
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    maps = maps[:, top:bottom, left:right]
    first = next(iter(heats.values()))
    return Blend(
        method=method,
        title=first.title or method,
        models=tuple(heats),
        mean=maps.mean(0),
        spread=maps.std(0),
        box=(left / width, top / height, right / width, bottom / height),
        signed=first.signed,
        missing=tuple(name for name in comparison.settings.models if name not in heats),
        correlation=_correlation(maps),
    )


def displayed(heat: HeatMaps, finding: str, shape: tuple[int, int]) -> np.ndarray:
    """One map as displayed on its own scale, on a radiograph of the given shape.

    Returns:
        (H, W) float32 in [0, 1] or [−1, 1]; NaN outside the network's input.
    """
    relevance = heat.map_of(finding)
    assert relevance is not None, "callers pass usable maps only"
    on_film = heat.on_film(relevance[None], shape)[0]
    return heatmap(on_film, peak(heat, finding), signed=heat.signed)


def _grid(shape: tuple[int, ...], finest: int) -> tuple[int, int]:
    shrink = min(1.0, _GRIDS[finest > _COARSE] / max(shape))
    height, width = (max(1, round(side * shrink)) for side in shape)
    return height, width


def _usable(heat: HeatMaps, finding: str) -> bool:
    relevance = heat.map_of(finding)
    return relevance is not None and heat.progress >= 1 and bool(np.isfinite(relevance).all())


def _score_and_threshold(comparison: Comparison, model: str, finding: str) -> tuple[float, float]:
    prediction = comparison.predictions[model]
    index = prediction.labels.index(finding)
    return float(prediction.scores[index]), float(prediction.thresholds[index])


def _correlation(maps: np.ndarray) -> float:
    """Mean Pearson correlation over all pairs of maps (M, h, w); NaN if one of them is constant."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat = flat - flat.mean(1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1)
    if not norms.all():
        return float("nan")
    table = (flat / norms[:, None]) @ (flat / norms[:, None]).T
    return float(table[np.triu_indices(len(maps), 1)].mean())
