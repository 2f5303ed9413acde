"""Which studies a tree of phantoms holds, decided before any is taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.data.phantom.anatomy import generator
from cxrbench.data.phantom.labeller import certain, draw_truth, label
from cxrbench.data.phantom.shortcuts import Shortcut
from cxrbench.labels import canonical

__all__ = ["Study", "plan"]


@dataclass(frozen=True)
class Study:
    """One study to take: where it goes, whose it is, what is there, and what the labeller says."""

    split: str
    patient: int
    number: int
    seed: int
    view: str
    findings: dict[str, float]
    labels: dict[str, float]
    shortcuts: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Below the tree's root."""
        return f"{self.split}/patient{self.patient:05d}/study{self.number}/view1_frontal.png"


def plan(
    patients: int,
    *,
    seed: int = 0,
    fractions: tuple[float, float, float] = (0.75, 0.05, 0.2),
    shortcuts: Sequence[Shortcut] = (),
) -> list[Study]:
    """Decide every study before any is taken.

    Args:
        patients: how many.
        seed: decides all; a patient depends on it and on his own number only.
        fractions: share of patients in train, valid and test.
        shortcuts: what to plant, and how often with and without its finding; moves nothing else.

    Returns:
        The studies, by patient. Training patients have several (2.9 on average, as in CheXpert), others one.
    """
    bounds = np.rint(np.cumsum(fractions) / sum(fractions) * patients).astype(int)
    studies = []
    for patient in range(1, patients + 1):
        split = ("train", "valid", "test")[int(np.searchsorted(bounds, patient))]
        rng = generator(seed, "patient", patient)
        own = int(rng.integers(2**62))
        count = min(int(rng.geometric(1 / 2.9)), 12)
        for number, findings in enumerate(draw_truth(rng, count if split == "train" else 1), 1):
            ill = len(findings) + 2 * ("Support Devices" in findings)
            view = "AP" if rng.random() < 1 / (1 + np.exp(-0.3 - 0.6 * ill)) else "PA"
            labels = label(findings, rng)
            planted = tuple(s.kind for s in shortcuts if _planted(s, findings, seed, patient, number))
            studies.append(Study(split, patient, number, own, view, findings, labels, planted))
    return studies


def _planted(shortcut: Shortcut, findings: dict[str, float], seed: int, patient: int, number: int) -> bool:
    """Whether this study gets the shortcut, from a stream that nothing else draws from."""
    there = certain(findings)[canonical(shortcut.finding)]
    draw = generator(seed, "shortcut", shortcut.kind, patient, number).random()
    return bool(draw < (shortcut.rate if there else shortcut.otherwise))
