"""The effect of a policy on the labels, counted: present, absent, soft, ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxrbench.targets.imbalance import LabelCounts
from cxrbench.targets.policies import RULES, Policy

__all__ = ["Effect", "policy_effect"]


@dataclass(frozen=True)
class Effect:
    """How often each of the L findings is what, after a policy; the five sum to N. All (L,) integers.

    Args:
        present: targets of 1.
        soft: targets between 0 and 1: drawn, or another model's scores.
        absent: targets of 0.
        kept: uncertain, as a class of its own.
        left_out: NaN, which no loss counts.
    """

    present: np.ndarray
    soft: np.ndarray
    absent: np.ndarray
    kept: np.ndarray
    left_out: np.ndarray


def policy_effect(
    tally: LabelCounts, labels: Sequence[str], policy: Policy, *, blank: Literal["zero", "mask"]
) -> Effect:
    """What applying the policy to the counted targets gives, without touching a single target.

    A policy treats equal labels alike, so four counts a finding say it all.

    Args:
        tally: of the targets before the policy.
        labels: the L findings.
        policy: one of ``POLICIES``, or your own.
        blank: what "not mentioned" means, as for the policy itself.
    """
    rules = [RULES[name] for name in policy.rules(labels)]
    low, high = np.array([(rule.low, rule.high) for rule in rules]).reshape(-1, 2).T
    soft = np.array([rule.guessed for rule in rules], bool) | (low < high)  # NaN is not below NaN
    to = {
        "present": ~soft & (low == 1),
        "soft": soft,
        "absent": ~soft & (low == 0),
        "kept": ~soft & (low == -1),
        "left_out": ~soft & np.isnan(low),
    }
    uncertain = {name: np.where(where, tally.uncertain, 0) for name, where in to.items()}
    uncertain["present"] = uncertain["present"] + tally.positive
    uncertain["absent"] = uncertain["absent"] + tally.negative
    blanks = "absent" if blank == "zero" else "left_out"
    uncertain[blanks] = uncertain[blanks] + tally.blank
    return Effect(**uncertain)
