"""A map against the known extent of its finding: what a cell of the Compare page states below the map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Final

import cv2
import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.data.phantom import phantom_priors
from cxrbench.errors import InputError

__all__ = ["AgainstTruth", "KnownTruth", "against_truth", "prior_inside", "truth_line", "truth_meaning"]

_HARDLY: Final = 0.1  # a logit that changes by less hardly depends on the finding


@dataclass(frozen=True)
class KnownTruth:
    """What is known of the findings of a phantom besides their masks.

    Args:
        priors: finding → share of the location prior inside its mask.
        effects: (model, finding) → true effect of the finding: the logit minus that of the film without it.
    """

    priors: Mapping[str, float] = field(default_factory=dict)
    effects: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class AgainstTruth:
    """Where the relevance of a map lies.

    Args:
        hit: whether the first of the most relevant pixels lies in the mask, as in the pointing game.
        inside: share of the positive relevance that lies in the mask.
        chance: share of the film that the mask covers: what a map without structure would have inside.
        prior: share of the location prior that lies in the mask; NaN where there is none.
        effect: of the finding on the logit; NaN where it is not known.
        logit: of the film; NaN where it is not known.
    """

    hit: bool
    inside: float
    chance: float
    prior: float = nan
    effect: float = nan
    logit: float = nan


def against_truth(
    heat: HeatMaps, comparison: Comparison, finding: str, known: KnownTruth | None = None
) -> AgainstTruth | None:
    """Compare a finished map with the mask of its finding, on the film.

    Hit and share are those of ``judge.hit`` and ``judge.relevance_mass``, without torch.

    Returns:
        None where there is no mask, no finished map, or nothing positive in it.
    """
    mask, relevance = comparison.masks.get(finding), heat.map_of(finding)
    if mask is None or not mask.any() or relevance is None or heat.progress < 1:
        return None
    # Outside the network's input there is no relevance.
    on_film = np.nan_to_num(heat.on_film(relevance[None], comparison.image.shape)[0], nan=-np.inf)
    positive = np.maximum(on_film, 0).astype(np.float64)
    total = float(positive.sum())
    if not np.isfinite(total) or total <= 0:
        return None
    known = known or KnownTruth()
    return AgainstTruth(
        hit=bool(mask.ravel()[int(on_film.argmax())]),
        inside=float(positive[mask].sum()) / total,
        chance=float(mask.mean()),
        prior=known.priors.get(finding, nan),
        effect=known.effects.get((heat.model, finding), nan),
        logit=_logit(comparison, heat.model, finding),
    )


def prior_inside(finding: str, mask: np.ndarray) -> float:
    """Share of the location prior of phantoms that lies in a mask (H, W) of a whole frontal film.

    Returns:
        NaN where there is no prior, or no mask.
    """
    try:
        prior = phantom_priors().get(finding)
    except InputError:  # another folder of assets than the shipped one need not have them
        return nan
    if prior is None or not mask.any():
        return nan
    height, width = mask.shape
    on_film = cv2.resize(prior, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    total = float(on_film.sum())
    return float(on_film[mask].sum()) / total if total > 0 else nan


def truth_line(found: AgainstTruth) -> str:
    """The same in one line; Δlogit is what taking the finding away adds to the logit."""
    verdict = "Hit" if found.hit else "Miss"
    chance = _percent(found.chance).removesuffix("%")
    prior = "" if isnan(found.prior) else f"prior {_percent(found.prior).removesuffix('%')}, "
    effect = "" if isnan(found.effect) else f" · Δlogit {_signed(-found.effect)}"
    return f"{verdict}: {_percent(found.inside)} inside, {prior}chance {chance}{effect}"


def truth_meaning(found: AgainstTruth, finding: str) -> str:
    """What each number of the line means."""
    where = (
        "Hit: the strongest point of the map lies in the dashed outline"
        if found.hit
        else "Miss: the strongest point of the map lies outside the dashed outline"
    )
    prior = (
        ""
        if isnan(found.prior)
        else f"of the location prior, which marks where {finding} lies on other films and never sees this "
        f"one, {_percent(found.prior)}; "
    )
    sentences = [
        f"{where}, the known extent of {finding}.",
        f"{_percent(found.inside)} of the positive relevance lies inside; {prior}of a map without structure "
        f"{_percent(found.chance)}, the outline's share of the film.",
    ]
    if not isnan(found.effect):
        sentences.append(_effect_meaning(found, finding))
    return " ".join(sentences)


def _effect_meaning(found: AgainstTruth, finding: str) -> str:
    logits = (
        "" if isnan(found.logit) else f" ({_number(found.logit)} → {_number(found.logit - found.effect)})"
    )
    if abs(found.effect) < _HARDLY:
        change = f"changes by {_signed(-found.effect)}{logits}: this model hardly uses it"
    elif found.effect > 0:
        change = f"falls by {found.effect:.1f}{logits}: so much of the score is truly due to it"
    else:
        change = f"rises by {-found.effect:.1f}{logits}: the finding truly lowers the score"
    return f"On the same film rendered without {finding} the logit {change}."


def _logit(comparison: Comparison, model: str, finding: str) -> float:
    prediction = comparison.predictions.get(model)
    if prediction is None or finding not in prediction.labels:
        return nan
    return float(prediction.logits[prediction.labels.index(finding)])


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.0095 or share == 0 else f"{share:.1%}"


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "±0.0"
