"""Rules that select the cases of the gallery from the test studies, in the order in which they apply."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrbench.data import Studies
from cxrbench.labels import HIERARCHY


@dataclass(frozen=True)
class Pool:
    """The test studies with the scores of the first model.

    Args:
        studies: the table, with the labels of the model.
        truth: (N, L) 0 or 1.
        severity: (N, L) in (0, 1]; NaN where absent.
        scores: (N, L).
        margin: (N, L) scores rescaled so that the threshold is 0.5; at or above it, the finding is predicted.
    """

    studies: Studies
    labels: tuple[str, ...]
    truth: np.ndarray
    severity: np.ndarray
    scores: np.ndarray
    margin: np.ndarray

    def of(self, finding: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth, margin and severity of one finding, each (N,)."""
        index = self.labels.index(finding)
        return self.truth[:, index], self.margin[:, index], self.severity[:, index]

    @property
    def finding_count(self) -> np.ndarray:
        """(N,) number of findings per study, without devices and "No Finding"."""
        counted = [i for i, label in enumerate(self.labels) if label not in ("No Finding", "Support Devices")]
        number: np.ndarray = self.truth[:, counted].sum(axis=1)
        return number


# Priority of each study, (N,); −inf where the rule does not apply.
Priority = Callable[[Pool], np.ndarray]


@dataclass(frozen=True)
class CaseRule:
    """How one case is selected: the study with the highest priority that no earlier rule has selected.

    Args:
        id: of the case, in links and as its folder's name.
        title: title of the case.
        why: description of the rule.
        priority: of each study.
        finding: that the case illustrates; "" for the present finding with the highest score.
    """

    id: str
    title: str
    why: str
    priority: Priority
    finding: str = ""


def where(condition: np.ndarray, priority: np.ndarray) -> np.ndarray:
    """The priority where a condition holds, −inf elsewhere."""
    return np.where(condition, priority, -np.inf)


def true_positive(finding: str) -> Priority:
    """True positive: the highest score among those with the fewest other findings."""

    def priority(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), margin - pool.finding_count)

    return priority


def subtle(finding: str) -> Priority:
    """True positive: the least severe one."""

    def priority(pool: Pool) -> np.ndarray:
        truth, margin, severity = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), -severity)

    return priority


def missed(finding: str) -> Priority:
    """False negative: the lowest score."""

    def priority(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin < 0.5), -margin)

    return priority


def false_positive(finding: str, *, beside: str = "") -> Priority:
    """False positive: the highest score, optionally among studies with the finding ``beside``."""

    def priority(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        holds = (truth == 0) & (margin >= 0.5)
        return where(holds & (pool.of(beside)[0] == 1) if beside else holds, margin)

    return priority


def frontal(priority: Priority) -> Priority:
    """The priority of frontal images only."""
    return lambda pool: where(pool.studies.table["view"].to_numpy() == "frontal", priority(pool))


def lateral(finding: str) -> Priority:
    """True positive on a lateral image, with the fewest other findings."""

    def priority(pool: Pool) -> np.ndarray:
        return where(pool.studies.table["view"].to_numpy() == "lateral", true_positive(finding)(pool))

    return priority


def normal(pool: Pool) -> np.ndarray:
    """No finding present: the study whose highest score is lowest."""
    counted = [i for i, label in enumerate(pool.labels) if label != "No Finding"]
    return where(pool.truth[:, counted].sum(axis=1) == 0, -pool.margin[:, counted].max(axis=1))


def several(pool: Pool) -> np.ndarray:
    """The most findings; ties are broken by the mean score of the present ones."""
    present = np.where(pool.truth == 1, pool.margin, np.nan)
    priority: np.ndarray = pool.finding_count + np.nanmean(
        np.column_stack([present, np.zeros(len(present))]), axis=1
    )
    return priority


def predicted(finding: str) -> CaseRule:
    """The rule of a true positive of a finding."""
    slug = finding.lower().replace(" ", "-")
    why = (
        f"True positive: {finding} is present and predicted. "
        "Of these, the study with the fewest other findings and the highest score."
    )
    return CaseRule(slug, finding, why, frontal(true_positive(finding)), finding)


RULES = (
    predicted("Pleural Effusion"),
    predicted("Cardiomegaly"),
    predicted("Pneumothorax"),
    predicted("Lung Lesion"),
    predicted("Consolidation"),
    predicted("Edema"),
    predicted("Support Devices"),
    CaseRule(
        "normal",
        "No finding",
        "True negative: no finding is present. Of all such studies, the one whose highest score is lowest.",
        frontal(normal),
        "No Finding",
    ),
    CaseRule(
        "several",
        "Several findings",
        "The study with the most findings. Does each map mark its own finding?",
        frontal(several),
    ),
    CaseRule(
        "subtle-effusion",
        "Subtle effusion",
        "True positive: the least severe Pleural Effusion that was predicted.",
        frontal(subtle("Pleural Effusion")),
        "Pleural Effusion",
    ),
    CaseRule(
        "lateral",
        "Lateral view",
        "True positive on a lateral view: Pleural Effusion, with the fewest other findings and the highest "
        "score.",
        lateral("Pleural Effusion"),
        "Pleural Effusion",
    ),
    CaseRule(
        "missed-lesion",
        "Missed lesion",
        "False negative: Lung Lesion is present, with the lowest score among the positives.",
        frontal(missed("Lung Lesion")),
        "Lung Lesion",
    ),
    CaseRule(
        "missed-atelectasis",
        "Missed atelectasis",
        "False negative: Atelectasis is present, with the lowest score among the positives.",
        frontal(missed("Atelectasis")),
        "Atelectasis",
    ),
    CaseRule(
        "false-alarm-cardiomegaly",
        "False-positive cardiomegaly",
        "False positive: Cardiomegaly is absent, with the highest score among the negatives.",
        frontal(false_positive("Cardiomegaly")),
        "Cardiomegaly",
    ),
    CaseRule(
        "devices-and-pneumothorax",
        "False-positive pneumothorax beside devices",
        "False positive: Pneumothorax is absent, but predicted beside Support Devices. Look at what the map "
        "marks.",
        frontal(false_positive("Pneumothorax", beside="Support Devices")),
        "Pneumothorax",
    ),
)


def lowest_negative(pool: Pool, finding: str) -> int:
    """Row of the frontal image without the finding that has the lowest score for it."""
    truth, margin, _ = pool.of(finding)
    return int(np.argmax(frontal(lambda _: where(truth == 0, -margin))(pool)))


def highest_positive(pool: Pool, row: int) -> str:
    """The present finding with the highest margin in a study; parents and devices are not counted."""
    excluded = {*HIERARCHY.values(), "Support Devices"}
    counted = np.array([label not in excluded for label in pool.labels])
    return pool.labels[int(np.argmax(where(counted & (pool.truth[row] == 1), pool.margin[row])))]


def choose(pool: Pool) -> dict[CaseRule, int]:
    """Rule → row of its study; a rule without a matching study is skipped with a message."""
    chosen: dict[CaseRule, int] = {}
    for rule in RULES:
        priority = rule.priority(pool)
        priority[list(chosen.values())] = -np.inf
        best = int(np.argmax(priority))
        if np.isfinite(priority[best]):
            chosen[rule] = best
        else:
            print(f"{rule.id}: no matching study; skipped", flush=True)
    return chosen
