"""Which test studies are worth a place in the gallery: rules, in the order in which they choose."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrbench.data import Studies
from cxrbench.labels import HIERARCHY


@dataclass(frozen=True)
class Pool:
    """The test studies and what the first model says of them.

    Args:
        studies: the table, labels as the model has them.
        truth: (N, L) 0 or 1.
        severity: (N, L) in (0, 1]; NaN where absent.
        scores: (N, L).
        margin: (N, L) scores moved so that the threshold is one half: above it, the model says yes.
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
    def ill(self) -> np.ndarray:
        """(N,) how many findings each study has, devices and "No Finding" not counted."""
        counted = [i for i, label in enumerate(self.labels) if label not in ("No Finding", "Support Devices")]
        number: np.ndarray = self.truth[:, counted].sum(axis=1)
        return number


# Per study how much it is wanted, (N,); −inf where the rule does not hold.
Wish = Callable[[Pool], np.ndarray]


@dataclass(frozen=True)
class Rule:
    """How one case is chosen: the study with the greatest wish that no earlier rule took.

    Args:
        id: of the case, in links and as its folder's name.
        title: a line for people.
        why: the rule in words.
        wish: how much each study is wanted.
        finding: the one the case is about; "" for the present one of which the model is surest.
    """

    id: str
    title: str
    why: str
    wish: Wish
    finding: str = ""


def where(holds: np.ndarray, wish: np.ndarray) -> np.ndarray:
    """The wish where a condition holds."""
    return np.where(holds, wish, -np.inf)


def right(finding: str) -> Wish:
    """Present and found, alone where it can be: the surest of those with the fewest other findings."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), margin - pool.ill)

    return wish


def subtle(finding: str) -> Wish:
    """Present, slight, and found all the same: the least severe of those found."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, severity = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), -severity)

    return wish


def missed(finding: str) -> Wish:
    """Present and denied: the lowest score among them."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin < 0.5), -margin)

    return wish


def false_alarm(finding: str, *, beside: str = "") -> Wish:
    """Absent and claimed: the highest score among them, where something else is present if so asked."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        holds = (truth == 0) & (margin >= 0.5)
        return where(holds & (pool.of(beside)[0] == 1) if beside else holds, margin)

    return wish


def frontal(wish: Wish) -> Wish:
    """The wish, of frontal films alone."""
    return lambda pool: where(pool.studies.table["view"].to_numpy() == "frontal", wish(pool))


def lateral(finding: str) -> Wish:
    """Seen from the side, present and found, alone where it can be."""

    def wish(pool: Pool) -> np.ndarray:
        return where(pool.studies.table["view"].to_numpy() == "lateral", right(finding)(pool))

    return wish


def normal(pool: Pool) -> np.ndarray:
    """Nothing present, and as little claimed as can be: the lowest of the highest scores."""
    counted = [i for i, label in enumerate(pool.labels) if label != "No Finding"]
    return where(pool.truth[:, counted].sum(axis=1) == 0, -pool.margin[:, counted].max(axis=1))


def several(pool: Pool) -> np.ndarray:
    """The most findings at once, the surer model on a tie."""
    present = np.where(pool.truth == 1, pool.margin, np.nan)
    wish: np.ndarray = pool.ill + np.nanmean(np.column_stack([present, np.zeros(len(present))]), axis=1)
    return wish


def found(finding: str) -> Rule:
    """The rule of a case in which the model is right about a finding."""
    slug = finding.lower().replace(" ", "-")
    why = (
        f"True positive: {finding} is present and predicted. "
        "Of these, the study with the fewest other findings and the highest score."
    )
    return Rule(slug, finding, why, frontal(right(finding)), finding)


RULES = (
    found("Pleural Effusion"),
    found("Cardiomegaly"),
    found("Pneumothorax"),
    found("Lung Lesion"),
    found("Consolidation"),
    found("Edema"),
    found("Support Devices"),
    Rule(
        "normal",
        "Nothing there",
        "True negative: no finding is present. Of all such studies, the one whose highest score is lowest.",
        frontal(normal),
        "No Finding",
    ),
    Rule(
        "several",
        "Many findings at once",
        "The study with the most findings: does each map find its own?",
        frontal(several),
    ),
    Rule(
        "subtle-effusion",
        "A slight effusion",
        "True positive, and hard: the least severe Pleural Effusion that was predicted.",
        frontal(subtle("Pleural Effusion")),
        "Pleural Effusion",
    ),
    Rule(
        "lateral",
        "From the side",
        "True positive on a lateral view: Pleural Effusion, with the fewest other findings and the highest "
        "score.",
        lateral("Pleural Effusion"),
        "Pleural Effusion",
    ),
    Rule(
        "missed-lesion",
        "A lesion overlooked",
        "False negative: Lung Lesion is present, with the lowest score among the positives.",
        frontal(missed("Lung Lesion")),
        "Lung Lesion",
    ),
    Rule(
        "missed-atelectasis",
        "An atelectasis overlooked",
        "False negative: Atelectasis is present, with the lowest score among the positives.",
        frontal(missed("Atelectasis")),
        "Atelectasis",
    ),
    Rule(
        "false-alarm-cardiomegaly",
        "A heart called too large",
        "False positive: Cardiomegaly is absent, with the highest score among the negatives.",
        frontal(false_alarm("Cardiomegaly")),
        "Cardiomegaly",
    ),
    Rule(
        "devices-and-pneumothorax",
        "Is it the tube?",
        "False positive: Pneumothorax is absent, but predicted beside Support Devices. Look at what the map "
        "marks.",
        frontal(false_alarm("Pneumothorax", beside="Support Devices")),
        "Pneumothorax",
    ),
)


def deceived(pool: Pool, finding: str) -> int:
    """Row of the frontal film without the finding that its model is least inclined to call ill."""
    truth, margin, _ = pool.of(finding)
    return int(np.argmax(frontal(lambda _: where(truth == 0, -margin))(pool)))


def surest(pool: Pool, row: int) -> str:
    """Of the findings present in a study the one with the highest margin; parents and devices not counted."""
    passed_over = {*HIERARCHY.values(), "Support Devices"}
    counted = np.array([label not in passed_over for label in pool.labels])
    return pool.labels[int(np.argmax(where(counted & (pool.truth[row] == 1), pool.margin[row])))]


def choose(pool: Pool) -> dict[Rule, int]:
    """Rule → row of its study; a rule that no study fits is left out, and said."""
    taken: dict[Rule, int] = {}
    for rule in RULES:
        wish = rule.wish(pool)
        wish[list(taken.values())] = -np.inf
        best = int(np.argmax(wish))
        if np.isfinite(wish[best]):
            taken[rule] = best
        else:
            print(f"{rule.id}: no study fits; left out", flush=True)
    return taken
