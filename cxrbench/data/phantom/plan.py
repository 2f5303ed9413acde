"""The studies of a phantom data set, decided before any is rendered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.data.phantom.anatomy import generator
from cxrbench.data.phantom.labeller import certain, draw_truth, label
from cxrbench.data.phantom.shortcuts import Shortcut
from cxrbench.labels import canonical

__all__ = ["Film", "Study", "plan"]

# How often a study has a lateral film too. CheXpert has 32,387 of them in 187,641 studies; they go with films
# taken standing up (PA), of which the phantom has about one in six.
_WITH_LATERAL = {"PA": 0.75, "AP": 0.065}


@dataclass(frozen=True)
class Film:
    """One image of a study: its view, and its path below the tree's root."""

    view: str
    path: str


@dataclass(frozen=True)
class Study:
    """One study to take: where it goes, whose it is, what is there, and what the labeller says.

    `view` is that of the frontal film; `lateral` says whether there is a second film from the side.
    """

    split: str
    patient: int
    number: int
    seed: int
    view: str
    findings: dict[str, float]
    labels: dict[str, float]
    shortcuts: tuple[str, ...] = ()
    lateral: bool = False

    @property
    def path(self) -> str:
        """Of the frontal film, below the tree's root."""
        return self.films[0].path

    @property
    def films(self) -> tuple[Film, ...]:
        """The frontal film, and the lateral one where there is one."""
        folder = f"{self.split}/patient{self.patient:05d}/study{self.number}"
        frontal = Film(self.view, f"{folder}/view1_frontal.png")
        return (frontal, Film("LATERAL", f"{folder}/view2_lateral.png")) if self.lateral else (frontal,)


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
            # a stream of its own: whether there is a second film moves nothing of the first
            draw = generator(seed, "lateral", patient, number).random()
            lateral = bool(draw < _WITH_LATERAL[view])
            studies.append(Study(split, patient, number, own, view, findings, labels, planted, lateral))
    return studies


def _planted(shortcut: Shortcut, findings: dict[str, float], seed: int, patient: int, number: int) -> bool:
    """Whether this study gets the shortcut, from a stream that nothing else draws from."""
    there = certain(findings)[canonical(shortcut.finding)]
    draw = generator(seed, "shortcut", shortcut.kind, patient, number).random()
    return bool(draw < (shortcut.rate if there else shortcut.otherwise))
