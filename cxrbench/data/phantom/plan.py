"""The studies of a phantom data set, decided before any is rendered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.data.phantom.anatomy import generator
from cxrbench.data.phantom.labeller import certain, draw_truth, label
from cxrbench.data.phantom.phantom import Phantom, draw_scenario, expose
from cxrbench.data.phantom.scenario import Scenario
from cxrbench.data.phantom.shortcuts import Shortcut
from cxrbench.labels import canonical

__all__ = ["Film", "Study", "patient_studies", "plan"]

# Probability of a lateral film by frontal view. CheXpert has 32,387 in 187,641 studies, mostly with films of
# standing patients (PA), of which the phantom has about one in six.
_WITH_LATERAL = {"PA": 0.75, "AP": 0.065}


@dataclass(frozen=True)
class Film:
    """One image of a study: its view, and its path below the tree's root."""

    view: str
    path: str


@dataclass(frozen=True)
class Study:
    """One study to render: its split, patient, true findings, and labels.

    `view` is that of the frontal film; `lateral` states whether there is a lateral film too.
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
        """Path of the frontal film, below the tree's root."""
        return self.films[0].path

    @property
    def films(self) -> tuple[Film, ...]:
        """The frontal film and, if there is one, the lateral film."""
        folder = f"{self.split}/patient{self.patient:05d}/study{self.number}"
        frontal = Film(self.view, f"{folder}/view1_frontal.png")
        return (frontal, Film("LATERAL", f"{folder}/view2_lateral.png")) if self.lateral else (frontal,)

    def render(self, film: Film, size: int) -> Phantom:
        """Render one of the films, ``size`` pixels per side, as ``cxrbench phantom`` does."""
        return expose(self.scenario(film, size))

    def scenario(self, film: Film, size: int) -> Scenario:
        """What determines the radiograph of one of the films."""
        return draw_scenario(
            self.seed,
            self.findings,
            view=film.view,
            size=size,
            exposure=self.number,
            shortcuts=self.shortcuts,
        )


def plan(
    patients: int,
    *,
    seed: int = 0,
    fractions: tuple[float, float, float] = (0.75, 0.05, 0.2),
    shortcuts: Sequence[Shortcut] = (),
) -> list[Study]:
    """Draw all studies of a data set before any is rendered.

    Args:
        patients: number of patients.
        seed: of all draws; a patient depends on it and on the patient's number only.
        fractions: fractions of patients in train, valid and test.
        shortcuts: the shortcuts to plant and their rates; they change nothing else.

    Returns:
        The studies, by patient. Training patients have several (2.9 on average, as in CheXpert), others one.
    """
    return [
        study
        for patient in range(1, patients + 1)
        for study in patient_studies(patient, patients, seed=seed, fractions=fractions, shortcuts=shortcuts)
    ]


def patient_studies(
    patient: int,
    patients: int,
    *,
    seed: int = 0,
    fractions: tuple[float, float, float] = (0.75, 0.05, 0.2),
    shortcuts: Sequence[Shortcut] = (),
) -> list[Study]:
    """The studies of one patient of a data set, as in ``plan``, without drawing the others.

    Args:
        patient: number of the patient, from 1. Those above ``patients`` are of no data set; they have what a
            test patient has.
        patients: number of patients of the data set, which decides on the split.
        seed: as in ``plan``.
        fractions: as in ``plan``.
        shortcuts: as in ``plan``.
    """
    bounds = np.rint(np.cumsum(fractions) / sum(fractions) * patients).astype(int)
    split = ("train", "valid", "test")[min(2, int(np.searchsorted(bounds, patient)))]
    rng = generator(seed, "patient", patient)
    patient_seed = int(rng.integers(2**62))
    count = min(int(rng.geometric(1 / 2.9)), 12)
    studies = []
    for number, findings in enumerate(draw_truth(rng, count if split == "train" else 1), 1):
        ill = len(findings) + 2 * ("Support Devices" in findings)
        view = "AP" if rng.random() < 1 / (1 + np.exp(-0.3 - 0.6 * ill)) else "PA"
        labels = label(findings, rng)
        planted = tuple(s.kind for s in shortcuts if _planted(s, findings, seed, patient, number))
        # a stream of its own: whether there is a lateral film does not change the frontal one
        draw = generator(seed, "lateral", patient, number).random()
        lateral = bool(draw < _WITH_LATERAL[view])
        studies.append(Study(split, patient, number, patient_seed, view, findings, labels, planted, lateral))
    return studies


def _planted(shortcut: Shortcut, findings: dict[str, float], seed: int, patient: int, number: int) -> bool:
    """Whether the shortcut is planted in this study, drawn from a stream of its own."""
    present = certain(findings)[canonical(shortcut.finding)]
    draw = generator(seed, "shortcut", shortcut.kind, patient, number).random()
    return bool(draw < (shortcut.rate if present else shortcut.otherwise))
