"""Ensemble panels on the canvas: the models' maps averaged, their vote, and where they differ."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cxrbench.compare import Blend, Comparison, Vote, blend, vote

__all__ = ["blend_panels", "vote_facts", "warnings"]

_OPACITY: Final = 0.9  # 10 % transparency, as in Liz et al. 2022, until the reader moves the slider
_ALIKE: Final = 0.3  # mean correlation below which maps are said to differ


def blend_panels(
    comparison: Comparison, method: str, finding: str, *, title: str, names: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Mean and standard deviation of one method's maps, as the facts from which a panel is made.

    Args:
        comparison: of at least two models.
        method: its key.
        finding: whose maps.
        title: of the method.
        names: model → how the page calls it.

    Returns:
        For the mean and for the deviation: title, subtitle, facts, notes, and a blend's ``values`` and
        ``box`` where there is one.
    """
    found, said = blend(comparison, method, finding), vote(comparison, finding)
    count = len(found.models) if found else len(comparison.settings.models)
    heading = (
        finding
        if said is None
        else f"{finding} {said.probability:.2f} · {said.agreeing} of {len(said.models)} find it"
    )
    mean: dict[str, Any] = {
        "title": heading,
        "subtitle": f"{title}, mean over {count} models",
        "facts": ["each model's map on its own scale, averaged pixel by pixel"],
    }
    spread: dict[str, Any] = {
        "title": f"{finding}: where they differ",
        "subtitle": f"{title}, standard deviation over {count} models",
        "facts": ["bright: one model's map is strong here and another's is not"],
    }
    if found is None:
        awaited = ["the ensemble needs finished maps of two models that look at one place"]
        return mean | {"notes": awaited}, spread | {"notes": awaited}
    if found.missing:
        mean["facts"].append(f"without {_listed(found.missing, names)}: no finished map of {finding}")
    if not math.isnan(found.correlation):
        mean["facts"].append(f"mean correlation of the maps, two by two: {found.correlation:.2f}")
    top = 1.0 if found.signed else 0.5  # the largest deviation that values of this range can have
    drawn = {"opacity": _OPACITY, "box": found.box}
    mean |= drawn | {
        "notes": warnings(found, said),
        "values": found.mean,
        "peak": 1.0,
        "signed": found.signed,
        "fixed": "full colour where every model's map is at its strongest",
    }
    spread |= drawn | {
        "notes": [],
        "values": found.spread,
        "peak": top,
        "signed": False,
        "colours": "magma",
        "fixed": f"full colour at {top:g}, the largest deviation there can be",
    }
    return mean, spread


def warnings(found: Blend, said: Vote | None) -> list[str]:
    """What to be careful about, in words."""
    sentences = []
    if said is not None and said.divided:
        sentences.append(f"low agreement: {_agree(said)}; be careful with this mean")
    if (
        found.correlation < _ALIKE
    ):  # NaN, where a map is constant, is no correlation; the cell itself states it
        sentences.append(f"the maps differ: mean correlation {found.correlation:.2f}")
    return sentences


def vote_facts(comparison: Comparison, finding: str, names: Mapping[str, str]) -> list[str]:
    """The models' answers one by one, and together."""
    said = vote(comparison, finding)
    if said is None:
        return [f"{finding}: fewer than two of these models know it"]
    facts = [f"{finding}: mean score {said.probability:.2f}; {_agree(said)}, each by its own threshold"]
    for model in said.models:
        prediction = comparison.predictions[model]
        index = prediction.labels.index(finding)
        score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
        answer = "yes" if score >= threshold else "no"
        facts.append(f"{names.get(model, model)}: {answer}, {score:.2f} against {threshold:.2f}")
    return facts


def _agree(said: Vote) -> str:
    return f"{said.agreeing} of {len(said.models)} models find it"


def _listed(models: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(model, model) for model in models)
