"""Policies for uncertain and unmentioned labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = ["POLICIES", "RULES", "Policy", "Rule", "ground_truth", "mixture"]


@dataclass(frozen=True)
class Rule:
    """What −1 turns into: a number drawn evenly from [low, high], a constant where they meet, or nothing.

    Args:
        low: lower end, in [0, 1]; NaN leaves the label out of the loss; −1 keeps it a class of its own.
        high: upper end, in [0, 1]; NaN or −1 with ``low``.
        guessed: the number is another model's score instead.
    """

    low: float
    high: float
    guessed: bool = False


RULES: Final[dict[str, Rule]] = {
    "ignore": Rule(np.nan, np.nan),
    "zeros": Rule(0.0, 0.0),
    "ones": Rule(1.0, 1.0),
    # The ranges Pham et al. found best, for U-Ones and for U-Zeros.
    "smoothed-ones": Rule(0.55, 0.85),
    "smoothed-zeros": Rule(0.0, 0.3),
    "guess": Rule(np.nan, np.nan, guessed=True),
    "keep": Rule(-1.0, -1.0),
}


@dataclass(frozen=True)
class Policy:
    """A rule for uncertain labels, and other rules for single findings.

    Args:
        name: key in `POLICIES`.
        summary: one line for a menu.
        rule: key in `RULES`, for every finding not named in ``findings``.
        findings: finding → key in `RULES`; names in any known spelling.
        reference: the paper.
    """

    name: str
    summary: str
    rule: str
    findings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reference: str = "Irvin et al. 2019, arXiv:1901.07031"

    def __post_init__(self) -> None:
        for rule in (self.rule, *self.findings.values()):
            if rule not in RULES:
                raise InputError(
                    f"Rule {rule!r} for uncertain labels is not known; choose from: {', '.join(RULES)}."
                )

    def __call__(
        self,
        targets: np.ndarray,
        labels: Sequence[str],
        *,
        blank: Literal["zero", "mask"],
        seed: int = 0,
        guesses: np.ndarray | None = None,
    ) -> np.ndarray:
        """Targets {1, 0, −1, NaN} → [0, 1] ∪ {NaN}; a loss leaves NaN out.

        The rule "keep" alone leaves −1, for a loss that knows three classes.

        Args:
            targets: (N, L): 1 present, 0 absent, −1 uncertain, NaN not mentioned. Left as it is.
            labels: the L findings.
            blank: what "not mentioned" means: "zero" that it is absent (the usual choice), "mask" that
                nothing is known. No default: the two train different models.
            seed: of the draws of the smoothed rules. Every entry has its draw, used or not, so that one
                finding's numbers do not depend on the others' policy.
            guesses: (N, L) in [0, 1], for the rule "guess": scores of a model trained with "ignore".

        Returns:
            (N, L) float32.

        Raises:
            InputError: shapes that do not fit, another target value, an unknown ``blank``, or no guesses
                where a rule needs them.
        """
        given = np.asarray(targets, np.float64)
        if given.ndim != 2 or given.shape[1] != len(labels):
            raise InputError(f"Targets must be (N, {len(labels)}), one column per label; got {given.shape}.")
        if blank not in _BLANKS:
            raise InputError(f"Blank must be one of {', '.join(map(repr, _BLANKS))}; got {blank!r}.")
        if not (np.isnan(given) | np.isin(given, (1, 0, -1))).all():
            raise InputError("Targets must be 1, 0, -1 (uncertain) or NaN (not mentioned); got other values.")
        rules = [RULES[rule] for rule in self.rules(labels)]
        low, high = np.array([(rule.low, rule.high) for rule in rules]).reshape(-1, 2).T
        drawn = low + (high - low) * np.random.default_rng(seed).random(given.shape)
        guessed = np.array([rule.guessed for rule in rules], bool)
        if guessed.any():
            drawn = np.where(guessed, self._guesses(guesses, given.shape), drawn)
        filled = np.where(given == -1, drawn, given)
        return np.where(np.isnan(given), _BLANKS[blank], filled).astype(np.float32)

    @property
    def needs(self) -> str:
        """What it needs beside targets: "guesses", a "three-class" loss, or nothing, the empty word."""
        used = [RULES[rule] for rule in (self.rule, *self.findings.values())]
        if any(rule.guessed for rule in used):
            return "guesses"
        return "three-class" if any(rule.low < 0 for rule in used) else ""

    def _guesses(self, guesses: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        if guesses is None or guesses.shape != shape:
            came = "none" if guesses is None else str(guesses.shape)
            raise InputError(
                f"Policy {self.name!r} needs guesses {shape}, the scores of a model trained with 'ignore'; "
                f"got {came}."
            )
        return guesses

    def rules(self, labels: Sequence[str]) -> list[str]:
        """The rule that holds for each label, as keys of `RULES`."""
        named = {finding_key(finding): rule for finding, rule in self.findings.items()}
        return [named.get(finding_key(label), self.rule) for label in labels]


def mixture(findings: Mapping[str, str], *, otherwise: str = "ignore", name: str = "mixture") -> Policy:
    """A policy of your own: a rule (key of `RULES`) for each finding named, and one for all others.

    Example:
        >>> policy = mixture({"Edema": "ones", "Cardiomegaly": "zeros"})
        >>> policy.rules(["Edema", "Fracture"])
        ['ones', 'ignore']
    """
    return Policy(name, "a rule for each finding", otherwise, MappingProxyType(dict(findings)))


def ground_truth(targets: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Targets {1, 0, −1, NaN} (N, L) → those to evaluate by: uncertain is NaN, not mentioned is absent.

    Raises:
        InputError: shapes that do not fit, or another target value.
    """
    return POLICIES["ignore"](targets, labels, blank="zero")


_BLANKS: Final = {"zero": 0.0, "mask": np.nan}

POLICIES: Final[dict[str, Policy]] = {
    "ignore": Policy("ignore", "U-Ignore: uncertain labels are left out of the loss", "ignore"),
    "zeros": Policy("zeros", "U-Zeros: uncertain counts as absent", "zeros"),
    "ones": Policy("ones", "U-Ones: uncertain counts as present", "ones"),
    "smoothed-ones": Policy(
        "smoothed-ones",
        "U-Ones, smoothed: uncertain becomes a number in [0.55, 0.85]",
        "smoothed-ones",
        reference="Pham et al. 2019, arXiv:1911.06475",
    ),
    "smoothed-zeros": Policy(
        "smoothed-zeros",
        "U-Zeros, smoothed: uncertain becomes a number in [0, 0.3]",
        "smoothed-zeros",
        reference="Pham et al. 2019, arXiv:1911.06475",
    ),
    "self-trained": Policy(
        "self-trained", "U-SelfTrained: uncertain becomes the score of a model trained with U-Ignore", "guess"
    ),
    "multiclass": Policy(
        "multiclass", "U-MultiClass: uncertain is a class of its own; needs the loss `three-class`", "keep"
    ),
    # Of ignore, zeros and ones, the best validation AUROC in Irvin's table 3; most differences are within its
    # confidence intervals. Their own best also draws on self-training and on three classes.
    "best-per-finding": Policy(
        "best-per-finding",
        "for each competition finding the best of ignore, zeros and ones; ignore elsewhere",
        "ignore",
        MappingProxyType(
            {
                "Atelectasis": "ones",
                "Cardiomegaly": "zeros",
                "Consolidation": "ignore",
                "Edema": "ones",
                "Pleural Effusion": "ones",
            }
        ),
    ),
}
