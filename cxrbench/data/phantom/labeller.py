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

__all__ = ["PUBLISHED_RATES", "Rates", "certain", "closed", "draw_truth", "label", "prevalence"]


class Rates(NamedTuple):
    """Fractions of CheXpert's 223,414 training images with each label; the rest is blank."""

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
PUBLISHED_RATES: Final = {
    name: Rates(*(count / _IMAGES for count in counts)) for name, counts in _COUNTS.items()
}

# Loadings of the common causes on each finding: severe illness, heart failure, infection, surgery.
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

# Probabilities that a finding called uncertain is present, that a positive or negative label is correct, and
# that a present finding is mentioned.
_UNCERTAIN_TRUE, _CORRECT, _MENTIONED = 0.5, 0.97, 0.95

_LABELS = (1.0, -1.0, 0.0, np.nan)  # positive, uncertain, negative, blank

# Of reports without any of the thirteen, the fraction without any other finding either, such as an old scar.
_NO_FINDING_SHARE = 0.61


def _own_rate(name: str) -> float:
    """Prevalence of a finding by itself, not through its children."""
    if name == "Lung Opacity":
        return 0.2  # most opacities are one of its children
    positive, uncertain, negative = PUBLISHED_RATES[name]
    return (_CORRECT * positive + _UNCERTAIN_TRUE * uncertain + (1 - _CORRECT) * negative) / _MENTIONED


def draw_truth(rng: np.random.Generator, studies: int, *, lasting: float = 0.6) -> list[dict[str, float]]:
    """Draw the true findings of several studies of one patient.

    Args:
        rng: the patient's stream.
        studies: number of studies.
        lasting: fraction of a finding's variance that is shared by the studies of a patient.

    Returns:
        One mapping of finding → severity in (0, 1] per study, not closed under the hierarchy.
    """
    names = list(_CAUSES)
    loads = np.array([_CAUSES[name] for name in names])
    residual_load = np.sqrt(1 - (loads**2).sum(1))
    cutoff = -ndtri([_own_rate(name) for name in names])  # normal quantile
    lasting_weight, new_weight = np.sqrt(lasting), np.sqrt(1 - lasting)
    lasting_causes, lasting_residual = rng.standard_normal(loads.shape[1]), rng.standard_normal(len(names))
    lasting_severity = rng.beta(1.9, 1.6, len(names))
    truths = []
    for _ in range(studies):
        causes = lasting_weight * lasting_causes + new_weight * rng.standard_normal(loads.shape[1])
        residual = lasting_weight * lasting_residual + new_weight * rng.standard_normal(len(names))
        severity = np.clip(lasting_severity + rng.normal(0, 0.08, len(names)), 0.03, 1)
        present = loads @ causes + residual_load * residual > cutoff
        truths.append({name: float(severity[i]) for i, name in enumerate(names) if present[i]})
    return truths


def certain(findings: Mapping[str, float]) -> dict[str, int]:
    """Truth of all fourteen labels, 0 or 1; "No Finding" allows support devices, which are no disease."""
    present = set(closed(findings))
    truth = {name: int(name in present) for name in CHEXPERT}
    return truth | {"No Finding": int(not present - {"Support Devices"})}


def closed(findings: Mapping[str, float]) -> dict[str, float]:
    """Findings with their ancestors; an ancestor has the severity of its most severe child."""
    closure = dict(findings)
    for child in findings:
        name = child
        while name in HIERARCHY:
            closure[HIERARCHY[name]] = max(closure.get(HIERARCHY[name], 0.0), findings[child])
            name = HIERARCHY[name]
    return closure


@lru_cache(maxsize=1)
def prevalence() -> dict[str, float]:
    """Fraction of studies in which a finding or a child of it is present (20,000 draws, fixed seed)."""
    rng = np.random.default_rng(20_190_121)
    rows = [closed(study) for study in draw_truth(rng, 20_000, lasting=0.0)]
    return {name: sum(name in row for row in rows) / len(rows) for name in _CAUSES}


def label(findings: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Draw the labels that a report labeller assigns to one study.

    A present finding is labelled positive, uncertain (more often the more subtle it is), negative, or is not
    mentioned; an absent one likewise, at rates that reproduce the published fractions over many studies.
    "No Finding" follows the rule of CheXpert's labeller: nothing but devices is positive or uncertain, nor
    anything outside the fourteen.

    Args:
        findings: present finding → severity; closed under the hierarchy here.
        rng: the study's stream.

    Returns:
        Each of the fourteen labels → 1, 0, −1, or NaN for blank.
    """
    present = closed(findings)
    names = CHEXPERT[1:]
    draws = rng.random(len(names))
    bounds = (_bounds(name, present.get(name)) for name in names)
    labels = {
        name: _LABELS[int(bound.searchsorted(draw, side="right"))]
        for name, bound, draw in zip(names, bounds, draws, strict=True)
    }
    any_label = any(labels[name] in (1.0, -1.0) for name in CHEXPERT[1:] if name != "Support Devices")
    no_finding = not any_label and rng.random() < _NO_FINDING_SHARE
    return {"No Finding": 1.0 if no_finding else np.nan, **labels}


@lru_cache(maxsize=64)  # the probabilities of absent findings are needed in every study
def _bounds(name: str, severity: float | None) -> np.ndarray:
    """Cumulative probabilities of `_LABELS`, as ``Generator.choice`` computes them."""
    bounds = _probabilities(name, severity).cumsum()
    bounds /= bounds[-1]
    bounds.setflags(write=False)  # they are cached
    return bounds


def _probabilities(name: str, severity: float | None) -> np.ndarray:
    """Probabilities of positive, uncertain, negative, blank."""
    rates, rate = PUBLISHED_RATES[name], prevalence()[name]
    if severity is None:
        share = np.array([1 - _CORRECT, 1 - _UNCERTAIN_TRUE, _CORRECT]) * rates / (1 - rate)
        probabilities: np.ndarray = np.append(share, max(0.0, 1 - share.sum())) / max(1.0, share.sum())
        return probabilities
    share = np.array([_CORRECT, _UNCERTAIN_TRUE, 1 - _CORRECT]) * rates / rate
    share = share / max(1.0, share.sum())
    mean_subtlety = 0.46  # of the severities drawn above
    doubt = min(share[1] * min(2.0, (1 - severity) / mean_subtlety), share[:2].sum())
    return np.array([share[:2].sum() - doubt, doubt, share[2], max(0.0, 1 - share.sum())])
