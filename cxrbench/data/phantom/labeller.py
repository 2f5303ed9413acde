"""Co-occurrence of findings, and the labels that a report labeller derives from the truth.

Truth comes from a Gaussian copula: a few common causes (severe illness, heart failure, infection, surgery)
load on the findings. Labels come from the truth with the published rates of CheXpert's labeller: positive,
uncertain, negative, or blank. Reference: Irvin et al. 2019, arXiv:1901.07031; counted in its training file.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from cxrbench.labels import CHEXPERT, HIERARCHY

__all__ = ["PUBLISHED", "Rates", "certain", "closed", "draw_truth", "label", "prevalence"]


class Rates(NamedTuple):
    """Share of CheXpert's 223,414 training images with each label; the rest is blank."""

    positive: float
    uncertain: float
    negative: float


_IMAGES = 223_414
_COUNTS = {
    "No Finding": (22_381, 0, 0),
    "Enlarged Cardiomediastinum": (10_798, 12_403, 21_638),
    "Cardiomegaly": (27_000, 8_087, 11_116),
    "Lung Opacity": (105_581, 5_598, 6_599),
    "Lung Lesion": (9_186, 1_488, 1_270),
    "Edema": (52_246, 12_984, 20_726),
    "Consolidation": (14_783, 27_742, 28_097),
    "Pneumonia": (6_039, 18_770, 2_799),
    "Atelectasis": (33_376, 33_739, 1_328),
    "Pneumothorax": (19_448, 3_145, 56_341),
    "Pleural Effusion": (86_187, 11_628, 35_396),
    "Pleural Other": (3_523, 2_653, 316),
    "Fracture": (9_040, 642, 2_512),
    "Support Devices": (116_001, 1_079, 6_137),
}
PUBLISHED: Final = {name: Rates(*(count / _IMAGES for count in counts)) for name, counts in _COUNTS.items()}

# How strongly each common cause drives a finding: severe illness, heart failure, infection, surgery.
_CAUSES = {
    "Enlarged Cardiomediastinum": (0.25, 0.25, 0.0, 0.1),
    "Cardiomegaly": (0.25, 0.6, 0.0, 0.0),
    "Lung Opacity": (0.45, 0.0, 0.4, 0.0),
    "Lung Lesion": (0.05, 0.0, 0.05, 0.0),
    "Edema": (0.55, 0.55, 0.0, 0.0),
    "Consolidation": (0.35, 0.0, 0.6, 0.0),
    "Pneumonia": (0.2, 0.0, 0.7, 0.0),
    "Atelectasis": (0.45, 0.05, 0.05, 0.3),
    "Pneumothorax": (0.15, 0.0, 0.0, 0.55),
    "Pleural Effusion": (0.6, 0.3, 0.1, 0.15),
    "Pleural Other": (0.0, 0.0, 0.1, 0.1),
    "Fracture": (0.05, 0.0, 0.0, 0.25),
    "Support Devices": (0.65, 0.1, 0.0, 0.4),
}

# How often uncertain words were about something that is there; how often other words are right; how often a
# finding that is there is mentioned at all.
_UNCERTAIN_TRUE, _RIGHT, _MENTIONED = 0.5, 0.97, 0.95

_LABELS = (1.0, -1.0, 0.0, np.nan)  # positive, uncertain, negative, blank

# Of reports that tell none of the thirteen, the share that tells nothing else either, such as an old scar.
_CLEAR = 0.61


def _own_rate(name: str) -> float:
    """How often a finding occurs by itself, not through its children."""
    if name == "Lung Opacity":
        return 0.2  # most opacities are one of its children
    positive, uncertain, negative = PUBLISHED[name]
    return (_RIGHT * positive + _UNCERTAIN_TRUE * uncertain + (1 - _RIGHT) * negative) / _MENTIONED


def draw_truth(rng: np.random.Generator, studies: int, *, lasting: float = 0.6) -> list[dict[str, float]]:
    """What is really there, in several studies of one patient.

    Args:
        rng: the patient's stream.
        studies: how many.
        lasting: share of a finding's variance that stays between studies of one patient.

    Returns:
        One mapping a study of finding → severity in (0, 1], without closing it under the hierarchy.
    """
    names = list(_CAUSES)
    loads = np.array([_CAUSES[name] for name in names])
    rest = np.sqrt(1 - (loads**2).sum(1))
    bar = -ndtri([_own_rate(name) for name in names])  # the normal quantile of the rest
    stay, change = np.sqrt(lasting), np.sqrt(1 - lasting)
    kept_causes, kept_rest = rng.standard_normal(loads.shape[1]), rng.standard_normal(len(names))
    kept_strength = rng.beta(1.9, 1.6, len(names))
    drawn = []
    for _ in range(studies):
        causes = stay * kept_causes + change * rng.standard_normal(loads.shape[1])
        own = stay * kept_rest + change * rng.standard_normal(len(names))
        strength = np.clip(kept_strength + rng.normal(0, 0.08, len(names)), 0.03, 1)
        present = loads @ causes + rest * own > bar
        drawn.append({name: float(strength[i]) for i, name in enumerate(names) if present[i]})
    return drawn


def certain(findings: Mapping[str, float]) -> dict[str, int]:
    """The truth of all fourteen, 0 or 1; devices are no disease, so "No Finding" may have them."""
    there = set(closed(findings))
    truth = {name: int(name in there) for name in CHEXPERT}
    return truth | {"No Finding": int(not there - {"Support Devices"})}


def closed(findings: Mapping[str, float]) -> dict[str, float]:
    """Findings with their ancestors; an ancestor is as severe as its most severe child."""
    all_of = dict(findings)
    for child in findings:
        name = child
        while name in HIERARCHY:
            all_of[HIERARCHY[name]] = max(all_of.get(HIERARCHY[name], 0.0), findings[child])
            name = HIERARCHY[name]
    return all_of


@lru_cache(maxsize=1)
def prevalence() -> dict[str, float]:
    """Share of studies in which a finding, or a child of it, is really there (20,000 draws, fixed seed)."""
    rng = np.random.default_rng(20_190_121)
    rows = [closed(study) for study in draw_truth(rng, 20_000, lasting=0.0)]
    return {name: sum(name in row for row in rows) / len(rows) for name in _CAUSES}


def label(findings: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """What the labeller writes for one study.

    A finding that is there is called positive, uncertain (the likelier, the more subtle it is), negative, or
    is not mentioned; one that is not there likewise, at rates that make the published shares come out over
    many studies.
    "No Finding" is derived as CheXpert's labeller does: nothing but devices is positive or uncertain,
    nor anything outside the fourteen.

    Args:
        findings: finding → severity, of those that are there; closed under the hierarchy here.
        rng: the study's stream.

    Returns:
        All fourteen → 1, 0, −1, or NaN for blank.
    """
    there = closed(findings)
    names = CHEXPERT[1:]
    draws = rng.random(len(names))
    bounds = (_bounds(name, there.get(name)) for name in names)
    labels = {
        name: _LABELS[int(bound.searchsorted(draw, side="right"))]
        for name, bound, draw in zip(names, bounds, draws, strict=True)
    }
    told = any(labels[name] in (1.0, -1.0) for name in CHEXPERT[1:] if name != "Support Devices")
    clear = not told and rng.random() < _CLEAR
    return {"No Finding": 1.0 if clear else np.nan, **labels}


@lru_cache(maxsize=64)  # the chances of an absent finding are asked for in every study
def _bounds(name: str, severity: float | None) -> np.ndarray:
    """Cumulative chances of `_LABELS`, up to 1: what ``Generator.choice`` looks its draw up in."""
    bounds = _chances(name, severity).cumsum()
    bounds /= bounds[-1]
    bounds.setflags(write=False)  # they are cached
    return bounds


def _chances(name: str, severity: float | None) -> np.ndarray:
    """Chances of positive, uncertain, negative, blank."""
    rates, rate = PUBLISHED[name], prevalence()[name]
    if severity is None:
        share = np.array([1 - _RIGHT, 1 - _UNCERTAIN_TRUE, _RIGHT]) * rates / (1 - rate)
        chances: np.ndarray = np.append(share, max(0.0, 1 - share.sum())) / max(1.0, share.sum())
        return chances
    share = np.array([_RIGHT, _UNCERTAIN_TRUE, 1 - _RIGHT]) * rates / rate
    share = share / max(1.0, share.sum())
    mean_subtlety = 0.46  # of the severities drawn above
    doubt = min(share[1] * min(2.0, (1 - severity) / mean_subtlety), share[:2].sum())
    return np.array([share[:2].sum() - doubt, doubt, share[2], max(0.0, 1 - share.sum())])
