"""Policies for uncertain and unmentioned labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = ["POLICIES", "RULES", "Blank", "Policy", "Rule", "ground_truth", "mixture"]

Blank = Literal["zero", "mask"]  # what becomes of a label that is not mentioned


@dataclass(frozen=True)
class Rule:
    """Target that replaces −1: uniform in [low, high], or a constant where both are equal.

    Args:
        low: lower bound, in [0, 1]; NaN masks the label in the loss; −1 keeps it as a third class.
        high: upper bound, in [0, 1]; NaN or −1 with ``low``.
        guessed: the score of another model replaces it instead.
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
    """A rule for uncertain labels, with exceptions for single findings.

    Args:
        name: key in `POLICIES`.
        summary: one line for a menu.
        rule: key in `RULES`, for all findings not in ``findings``.
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
                    f"Unknown rule {rule!r} for uncertain labels; choose from: {', '.join(RULES)}."
                )

    def __call__(
        self,
        targets: np.ndarray,
        labels: Sequence[str],
        *,
        blank: Blank,
        seed: int = 0,
        guesses: np.ndarray | None = None,
    ) -> np.ndarray:
        """Apply the policy: targets {1, 0, −1, NaN} → [0, 1] ∪ {NaN}; the loss ignores NaN.

        Only the rule "keep" leaves −1, for a loss with three classes.

        Args:
            targets: (N, L): 1 present, 0 absent, −1 uncertain, NaN not mentioned. Not modified.
            labels: the L findings.
            blank: meaning of "not mentioned": "zero" for absent (the usual choice), "mask" for unknown. No
                default: the two train different models.
            seed: random seed of the smoothed rules. A number is drawn for every entry, used or not, so that
                the draws of one finding do not depend on the rules of others.
            guesses: (N, L) in [0, 1], for the rule "guess": scores of a model trained with "ignore".

        Returns:
            (N, L) float32.

        Raises:
            InputError: the shapes do not match, other target values, an unknown ``blank``, or no guesses
                where a rule needs them.
        """
        original = np.asarray(targets, np.float64)
        if original.ndim != 2 or original.shape[1] != len(labels):
            raise InputError(
                f"Targets must be (N, {len(labels)}), one column per label; got {original.shape}."
            )
        if blank not in _BLANKS:
            raise InputError(f"blank must be one of {', '.join(map(repr, _BLANKS))}; got {blank!r}.")
        if not (np.isnan(original) | np.isin(original, (1, 0, -1))).all():
            raise InputError("Targets must be 1, 0, -1 (uncertain) or NaN (not mentioned); got other values.")
        rules = [RULES[rule] for rule in self.rules(labels)]
        low, high = np.array([(rule.low, rule.high) for rule in rules]).reshape(-1, 2).T
        drawn = low + (high - low) * np.random.default_rng(seed).random(original.shape)
        guessed = np.array([rule.guessed for rule in rules], bool)
        if guessed.any():
            drawn = np.where(guessed, self._guesses(guesses, original.shape), drawn)
        filled = np.where(original == -1, drawn, original)
        return np.where(np.isnan(original), _BLANKS[blank], filled).astype(np.float32)

    @property
    def needs(self) -> str:
        """Requirement beyond targets: "guesses", a "three-class" loss, or "" for none."""
        used = [RULES[rule] for rule in (self.rule, *self.findings.values())]
        if any(rule.guessed for rule in used):
            return "guesses"
        return "three-class" if any(rule.low < 0 for rule in used) else ""

    def _guesses(self, guesses: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        if guesses is None or guesses.shape != shape:
            received = "none" if guesses is None else str(guesses.shape)
            raise InputError(
                f"Policy {self.name!r} needs guesses {shape}, the scores of a model trained with 'ignore'; "
                f"got {received}."
            )
        return guesses

    def rules(self, labels: Sequence[str]) -> list[str]:
        """Rule of each label, as keys of `RULES`."""
        named = {finding_key(finding): rule for finding, rule in self.findings.items()}
        return [named.get(finding_key(label), self.rule) for label in labels]


def mixture(findings: Mapping[str, str], *, otherwise: str = "ignore", name: str = "mixture") -> Policy:
    """Make a policy of one rule (key of `RULES`) per named finding, and one for all others.

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
    "ignore": Policy("ignore", "U-Ignore: uncertain labels are ignored by the loss", "ignore"),
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
        "multiclass", "U-MultiClass: uncertain is a third class; needs the loss `three-class`", "keep"
    ),
    # Of ignore, zeros and ones, the best validation AUROC in Irvin's table 3; most differences are within its
    # confidence intervals. Their own selection also uses self-training and three classes.
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
