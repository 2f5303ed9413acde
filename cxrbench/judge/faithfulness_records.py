"""Records of the criteria of faithfulness without truth, for ``CRITERIA``."""

from functools import partial
from math import inf
from typing import Any, Final

import numpy as np
from torch import Tensor

from cxrbench.judge import concentration, faithfulness, road, robustness
from cxrbench.judge.judged_map import JudgedMap, Score
from cxrbench.judge.protocol import Criterion

__all__ = ["FAITHFULNESS"]

_CURVE_COST: Final = "11 forward passes; 33 for maps with equal pixels"
_SQUARES_COST: Final = "65 forward passes per image, shared by all maps"
_RISE: Final = "arXiv:1806.07421"
_NAN: Final = float("nan")

_model = partial(Criterion, family="faithfulness", needs=("model",), fields=("image", "baselines", "score"))
_map_only = partial(Criterion, family="faithfulness", needs=(), fields=(), higher_is_better=None)


def _inputs(judged: JudgedMap, baseline: str) -> tuple[Tensor, Tensor, np.ndarray, Score]:
    """Image, baseline, relevance and score, the last two reversed where the finding is absent."""
    assert judged.image is not None
    assert judged.baselines is not None
    assert judged.score is not None
    score = faithfulness.probability_score(judged.score, present=judged.present)
    relevance = judged.relevance if judged.present else -judged.relevance
    return judged.image, judged.baselines[baseline], relevance, score


def _curve(judged: JudgedMap, baseline: str, curve: Any) -> float:
    if baseline not in (judged.baselines or {}):
        return _NAN
    return float(curve(*_inputs(judged, baseline)).area)


def _drop_and_increase(judged: JudgedMap, which: str) -> float:
    both = judged.shared(
        "drop and increase", lambda: faithfulness.drop_and_increase(*_inputs(judged, "black"))
    )
    return float(getattr(both, which))


def _squares(judged: JudgedMap, criterion: Any) -> float:
    image, baseline, relevance, score = _inputs(judged, "black")
    masks = faithfulness.standard_squares(judged.size, judged.seed)
    drops = judged.square_drops
    if drops is None:
        drops = faithfulness.score_drops(image, baseline, masks, score)
    return float(criterion(relevance, masks, drops))


def _road(judged: JudgedMap) -> float:
    assert judged.image is not None
    assert judged.score is not None
    score = faithfulness.probability_score(judged.score, present=judged.present)
    relevance = judged.relevance if judged.present else -judged.relevance
    return road.road(judged.image, relevance, score, seed=judged.seed).value


def _max_sensitivity(judged: JudgedMap) -> float:
    assert judged.image is not None
    assert judged.explain is not None
    if judged.noisy_maps is not None:
        return robustness.largest_change(judged.map, judged.noisy_maps)
    return robustness.max_sensitivity(judged.explain, judged.image, seed=judged.seed)


def _curves(baseline: str, title: str) -> tuple[Criterion, Criterion]:
    caveat = "The pictures in between are no radiographs: the score may fall because they are unusual."
    return (
        _model(
            name=f"deletion_{baseline}",
            title=f"Deletion ({title})",
            compute=partial(_curve, baseline=baseline, curve=faithfulness.deletion),
            reference=_RISE,
            higher_is_better=False,
            caveat=caveat,
            cost=_CURVE_COST,
        ),
        _model(
            name=f"insertion_{baseline}",
            title=f"Insertion ({title})",
            compute=partial(_curve, baseline=baseline, curve=faithfulness.insertion),
            reference=_RISE,
            caveat=caveat,
            cost=_CURVE_COST,
        ),
    )


FAITHFULNESS: Final = (
    *_curves("black", "black"),
    *_curves("mean", "mean grey"),
    *_curves("blur", "blurred"),
    _model(
        name="average_drop",
        title="Average drop",
        compute=partial(_drop_and_increase, which="drop"),
        reference="arXiv:1710.11063",
        higher_is_better=False,
        caveat="A map that lets everything through has no drop.",
        cost="2 forward passes, shared with the increase",
    ),
    _model(
        name="increase",
        title="Increase in confidence",
        compute=partial(_drop_and_increase, which="increase"),
        reference="arXiv:1710.11063",
        caveat="A score close to 1 can hardly rise, so it says little of confident predictions.",
        cost="2 forward passes, shared with the average drop",
    ),
    _model(
        name="infidelity",
        title="Infidelity",
        compute=partial(_squares, criterion=faithfulness.infidelity),
        reference="arXiv:1901.09392",
        high=inf,
        higher_is_better=False,
        caveat="In squared units of the score: a model whose score hardly moves has a small one for any map.",
        uses=("square_drops",),
        cost=_SQUARES_COST,
    ),
    _model(
        name="faithfulness_correlation",
        title="Faithfulness correlation",
        compute=partial(_squares, criterion=faithfulness.faithfulness_correlation),
        reference="arXiv:2005.00631",
        low=-1.0,
        caveat="Black squares hide evidence and add edges; both change the score.",
        uses=("square_drops",),
        cost=_SQUARES_COST,
    ),
    _model(
        name="road",
        title="ROAD",
        compute=_road,
        fields=("image", "score"),
        reference="arXiv:2202.00449",
        low=-0.5,
        high=0.5,
        caveat="Imputed regions are smooth, which may itself be evidence: of air, fluid or an implant.",
        cost="8 forward passes, and 8 systems of linear equations",
    ),
    _model(
        name="max_sensitivity",
        title="Max-sensitivity",
        compute=_max_sensitivity,
        fields=("image", "explain"),
        reference="arXiv:1901.09392",
        high=inf,
        higher_is_better=False,
        caveat="A map that ignores the image is perfectly robust.",
        uses=("noisy_maps",),
        cost="the method 10 times more",
    ),
    _map_only(
        name="sparseness",
        title="Sparseness (Gini)",
        compute=lambda judged: concentration.sparseness(judged.relevance),
        reference="arXiv:1810.06583",
        caveat="Says how concentrated a map is, not whether it is right: a single wrong pixel is sparsest.",
    ),
    _map_only(
        name="complexity",
        title="Complexity (entropy)",
        compute=lambda judged: concentration.complexity(judged.relevance),
        reference="arXiv:2005.00631",
        high=inf,
        caveat="In nats, and larger on larger images; says how spread a map is, and not whether it is right.",
    ),
)
