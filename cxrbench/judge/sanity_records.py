"""Records of the criteria of sanity and of shortcuts, for ``CRITERIA``."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from cxrbench.judge import correlation, sanity, shortcuts
from cxrbench.judge.judged_map import JudgedMap
from cxrbench.judge.protocol import Criterion

__all__ = ["SANITY", "SHORTCUTS"]

_SUN: Final = "arXiv:2307.12344"
_NAN: Final = float("nan")

_cascade = partial(
    Criterion,
    family="sanity",
    needs=("model",),
    fields=("randomised_maps",),
    cost="the method once more per stage of the network",
    reference="arXiv:1810.03292",
    low=-1.0,
    higher_is_better=None,
    caveat="A map that changes is not a better map: it must not rank methods (arXiv:2211.12486).",
)
_marker = partial(
    Criterion,
    family="shortcut",
    needs=("twins", "masks"),
    fields=("marker", "logit", "logit_without_marker"),
    cost="a forward pass without the marker, shared by all maps",
    reference=_SUN,
)


def _randomised(judged: JudgedMap, similarity: Callable[[np.ndarray, np.ndarray], float]) -> float:
    """Mean over the groups of layers; the map of the trained model itself is not among them."""
    assert judged.randomised_maps is not None
    values = [similarity(judged.map, each) for each in judged.randomised_maps]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else _NAN


def _finding_swap(judged: JudgedMap) -> float:
    assert judged.other_maps is not None
    return sanity.finding_swap(judged.map, judged.other_maps)


def _sensitivity(judged: JudgedMap, relied_on: bool) -> float:
    assert judged.marker is not None
    assert judged.logit is not None
    assert judged.logit_without_marker is not None
    if shortcuts.relies_on_marker(judged.logit, judged.logit_without_marker) != relied_on:
        return _NAN
    return shortcuts.confounder_sensitivity(judged.relevance, judged.marker)


def _explanation_correlation(judged: JudgedMap) -> float:
    assert judged.map_without_marker is not None
    assert judged.logit is not None
    assert judged.logit_without_marker is not None
    assert judged.threshold is not None
    decisions = [logit >= judged.threshold for logit in (judged.logit, judged.logit_without_marker)]
    return shortcuts.explanation_correlation(
        judged.map, judged.map_without_marker, prediction_flips=decisions[0] != decisions[1]
    )


SHORTCUTS: Final = (
    _marker(
        name="confounder_sensitivity",
        title="Confounder sensitivity",
        compute=partial(_sensitivity, relied_on=True),
        caveat="Relevance next to the marker does not count, and a coarse map hardly fits a small marker.",
    ),
    _marker(
        name="confounder_false_alarm",
        title="Confounder false alarm",
        compute=partial(_sensitivity, relied_on=False),
        higher_is_better=False,
        caveat="Bright markers have edges, which every fine map shows a little.",
    ),
    Criterion(
        name="explanation_correlation",
        title="Explanation NCC",
        family="shortcut",
        compute=_explanation_correlation,
        fields=("map_without_marker", "logit", "logit_without_marker", "threshold"),
        needs=("twins",),
        reference=_SUN,
        cost="the method once more, without the marker",
        low=-1.0,
        higher_is_better=False,
        caveat="A map that changes need not show the marker; read it with confounder sensitivity.",
    ),
)

SANITY: Final = (
    _cascade(
        name="randomisation_spearman",
        title="Model randomisation (Spearman)",
        compute=partial(_randomised, similarity=correlation.spearman),
    ),
    _cascade(
        name="randomisation_ssim",
        title="Model randomisation (SSIM)",
        compute=partial(_randomised, similarity=sanity.structural_similarity),
    ),
    Criterion(
        name="finding_swap",
        title="Finding swap",
        family="sanity",
        compute=_finding_swap,
        fields=("other_maps",),
        needs=(),
        reference="",
        low=-1.0,
        higher_is_better=False,
        caveat="Two findings may truly be read in the same place; a random map has a correlation of 0.",
    ),
)
