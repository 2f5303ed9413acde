"""Ensemble panels on the canvas: mean and standard deviation of the models' maps, and the models' votes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cxrbench.compare import Blend, Comparison, Vote, blend, vote

__all__ = ["BlendMap", "BlendPanel", "blend_panels", "vote_facts", "warnings"]

_OPACITY: Final = 0.9  # 10 % transparency, as in Liz et al. 2022, until the user moves the slider
_ALIKE: Final = 0.3  # mean pairwise correlation below which a warning is shown


@dataclass(frozen=True)
class BlendMap:
    """What an ensemble's panel draws.

    Args:
        values: (h, w) of the mean or of the deviation.
        box: where they lie on the film: left, top, right, bottom, as fractions of its sides.
        peak: value at full colour.
        signed: whether there are negative values.
        opacity: until the user chooses one.
        colours: name of its own colour table; empty for that of the other maps.
    """

    values: np.ndarray
    box: tuple[float, float, float, float]
    peak: float
    signed: bool = False
    opacity: float = _OPACITY
    colours: str = ""


@dataclass(frozen=True)
class BlendPanel:
    """One ensemble panel: its text, and its map once there is one."""

    title: str
    subtitle: str
    facts: tuple[str, ...]
    notes: tuple[str, ...] = ()
    map: BlendMap | None = None


def blend_panels(
    comparison: Comparison, method: str, finding: str, *, title: str, names: Mapping[str, str]
) -> tuple[BlendPanel, BlendPanel]:
    """Return mean and standard deviation of one method's maps, as two panels.

    Args:
        comparison: a comparison of at least two models.
        method: key of the method.
        finding: the finding whose maps are combined.
        title: title of the method.
        names: model → title on the page.

    Returns:
        The panel of the mean and that of the deviation.
    """
    found, said = blend(comparison, method, finding), vote(comparison, finding)
    count = len(found.models) if found else len(comparison.settings.models)
    heading = (
        finding
        if said is None
        else f"{finding} {said.probability:.2f} · {said.agreeing} of {len(said.models)} models positive"
    )
    mean = BlendPanel(
        heading,
        f"{title}, mean over {count} models",
        ("pixel-wise mean of the models' maps, each on its own scale",),
    )
    spread = BlendPanel(
        f"{finding}: model disagreement",
        f"{title}, standard deviation over {count} models",
        ("bright: strong in one model's map, weak in another's",),
    )
    if found is None:
        awaited = ("the ensemble needs finished maps of two models whose inputs overlap",)
        return replace(mean, notes=awaited), replace(spread, notes=awaited)
    full = "full colour where every model's map is at its maximum"
    top = 1.0 if found.signed else 0.5  # the largest standard deviation of values in this range
    widest = f"full colour at {top:g}, the largest possible deviation"
    return replace(
        mean,
        facts=(*mean.facts, full, *_blend_facts(found, finding, names)),
        notes=tuple(warnings(found, said)),
        map=BlendMap(found.mean, found.box, 1.0, signed=found.signed),
    ), replace(
        spread,
        facts=(*spread.facts, widest),
        map=BlendMap(found.spread, found.box, top, colours="magma"),
    )


def _blend_facts(found: Blend, finding: str, names: Mapping[str, str]) -> list[str]:
    facts = []
    if found.missing:
        facts.append(f"without {_listed(found.missing, names)}: no finished map of {finding}")
    if found.correlation >= _ALIKE:  # else in the warnings; NaN has no fact
        facts.append(f"mean pairwise correlation of the maps: {found.correlation:.2f}")
    return facts


def warnings(found: Blend, said: Vote | None) -> list[str]:
    """Return warnings: the models' decisions or their maps differ."""
    sentences = []
    if said is not None and said.divided:
        sentences.append(f"low agreement: {_agree(said)}; interpret this mean with caution")
    if found.correlation < _ALIKE:  # False for NaN, if a map is constant: that map has its own note
        sentences.append(f"the maps differ: mean correlation {found.correlation:.2f}")
    return sentences


def vote_facts(comparison: Comparison, finding: str, names: Mapping[str, str]) -> list[str]:
    """Return the ensemble's mean score and vote, then each model's decision."""
    said = vote(comparison, finding)
    if said is None:
        return [f"{finding}: fewer than two of these models predict this finding"]
    facts = [f"{finding}: mean score {said.probability:.2f}; {_agree(said)} at their own thresholds"]
    for model in said.models:
        prediction = comparison.predictions[model]
        index = prediction.labels.index(finding)
        score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
        answer = "positive" if score >= threshold else "negative"
        facts.append(f"{names.get(model, model)}: {answer}, {score:.2f} (threshold {threshold:.2f})")
    return facts


def _agree(said: Vote) -> str:
    return f"{said.agreeing} of {len(said.models)} models positive"


def _listed(models: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(model, model) for model in models)
