"""Ensemble maps: several models' maps of one finding as one map, and where they differ."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import heatmap, peak

__all__ = ["Blend", "Vote", "blend", "displayed", "vote"]

_COARSE: Final = 64
_GRIDS: Final = 128, 256  # longest side of the common grid: where all maps are coarse, and where one is not
_DIVIDED: Final = 1 / 3  # a minority of this size makes the vote no verdict


@dataclass(frozen=True)
class Vote:
    """What several models answer for one finding.

    Args:
        models: those that know the finding, in the order asked.
        probability: mean of their scores (CTP).
        agreeing: how many of them score at or above their own threshold.
    """

    models: tuple[str, ...]
    probability: float
    agreeing: int

    @property
    def divided(self) -> bool:
        """Whether a third of the models or more contradict the others."""
        minority = min(self.agreeing, len(self.models) - self.agreeing)
        return minority > 0 and minority >= _DIVIDED * len(self.models)


@dataclass(frozen=True)
class Blend:
    """The maps of one method, one finding and several models, laid over each other.

    Args:
        method: its key.
        title: as papers write it.
        models: whose maps are in it, in the order asked; at least two.
        mean: (h, w) per-pixel mean of the displayed maps, in [0, 1], or [−1, 1] where they are signed.
        spread: (h, w) per-pixel standard deviation over the models (ddof 0), in [0, 1].
        box: left, top, right, bottom of the grid over the radiograph, as fractions of its sides: where every
            one of the models looked.
        signed: whether the maps are.
        missing: models that were asked and have no finished map of this finding.
        likeness: mean Pearson correlation over all pairs of maps; NaN where one of them is constant.
    """

    method: str
    title: str
    models: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    box: tuple[float, float, float, float]
    signed: bool
    missing: tuple[str, ...]
    likeness: float


def vote(comparison: Comparison, finding: str) -> Vote | None:
    """The models' scores of one finding taken together; None where fewer than two models know it.

    Reference:
        Liz et al. 2022, arXiv:2207.14408: CTP, combine then predict, averages the members' scores.
    """
    said = [
        (name, *_answer(comparison, name, finding))
        for name in comparison.settings.models
        if name in comparison.predictions and finding in comparison.predictions[name].labels
    ]
    if len(said) < 2:
        return None
    scores, thresholds = (np.array([row[column] for row in said]) for column in (1, 2))
    return Vote(
        models=tuple(row[0] for row in said),
        probability=float(scores.mean()),
        agreeing=int((scores >= thresholds).sum()),
    )


def blend(comparison: Comparison, method: str, finding: str) -> Blend | None:
    """Mean and standard deviation over the chosen models of the maps as they are displayed.

    Raw relevance of different networks has no common unit, so every map is first brought to its own scale
    (``heatmap`` of ``peak``), then laid over the radiograph on a grid common to all, at most 256 a side, or
    128 where no map is finer than 64.
    A map that is empty counts as zeros: its model points nowhere, and that is an answer.

    Args:
        comparison: maps of several models.
        method: a key of its methods.
        finding: whose maps.

    Returns:
        The blend; None where fewer than two models have a finished map, or no pixel was seen by all of them.

    Reference:
        Liz et al. 2022, arXiv:2207.14408: the mean; the deviation is what its authors wished for.
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
    seen = np.isfinite(maps).all(0)
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not rows.size:
        return None
    height, width = seen.shape
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
        likeness=_likeness(maps),
    )


def displayed(heat: HeatMaps, finding: str, shape: tuple[int, int]) -> np.ndarray:
    """One map as it is drawn on its own scale, over a radiograph of the given shape.

    Returns:
        (H, W) float32 in [0, 1] or [−1, 1]; NaN where the network did not look.
    """
    relevance = heat.of(finding)
    assert relevance is not None, "usable maps only"
    whole = heat.on_film(relevance[None], shape)[0]
    return heatmap(whole, peak(heat, finding), signed=heat.signed)


def _grid(shape: tuple[int, ...], finest: int) -> tuple[int, int]:
    shrink = min(1.0, _GRIDS[finest > _COARSE] / max(shape))
    height, width = (max(1, round(side * shrink)) for side in shape)
    return height, width


def _usable(heat: HeatMaps, finding: str) -> bool:
    relevance = heat.of(finding)
    return relevance is not None and heat.progress >= 1 and bool(np.isfinite(relevance).all())


def _answer(comparison: Comparison, model: str, finding: str) -> tuple[float, float]:
    prediction = comparison.predictions[model]
    index = prediction.labels.index(finding)
    return float(prediction.scores[index]), float(prediction.thresholds[index])


def _likeness(maps: np.ndarray) -> float:
    """Mean Pearson correlation over all pairs of maps (M, h, w); NaN where one of them is constant."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat = flat - flat.mean(1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1)
    if not norms.all():
        return float("nan")
    table = (flat / norms[:, None]) @ (flat / norms[:, None]).T
    return float(table[np.triu_indices(len(maps), 1)].mean())
