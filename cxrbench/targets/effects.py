"""The effect of a policy on the labels, counted: present, absent, soft, ignored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.targets.imbalance import LabelCounts
from cxrbench.targets.policies import RULES, Blank, Policy

__all__ = ["Effect", "policy_effect"]


@dataclass(frozen=True)
class Effect:
    """Counts of each finding's targets after a policy; the five sum to N. All (L,) integers.

    Args:
        present: targets of 1.
        soft: targets between 0 and 1: drawn, or scores of another model.
        absent: targets of 0.
        kept: uncertain, as a third class.
        left_out: NaN, ignored by the loss.
    """

    present: np.ndarray
    soft: np.ndarray
    absent: np.ndarray
    kept: np.ndarray
    left_out: np.ndarray


def policy_effect(tally: LabelCounts, labels: Sequence[str], policy: Policy, *, blank: Blank) -> Effect:
    """Count the targets that a policy would produce, from the counts before it.

    A policy treats equal labels alike, so four counts per finding suffice.

    Args:
        tally: of the targets before the policy.
        labels: the L findings.
        policy: one of ``POLICIES``, or your own.
        blank: meaning of "not mentioned", as for the policy.
    """
    rules = [RULES[name] for name in policy.rules(labels)]
    low, high = np.array([(rule.low, rule.high) for rule in rules]).reshape(-1, 2).T
    soft = np.array([rule.guessed for rule in rules], bool) | (low < high)  # NaN is not below NaN
    outcomes = {
        "present": ~soft & (low == 1),
        "soft": soft,
        "absent": ~soft & (low == 0),
        "kept": ~soft & (low == -1),
        "left_out": ~soft & np.isnan(low),
    }
    effect = {name: np.where(mask, tally.uncertain, 0) for name, mask in outcomes.items()}
    effect["present"] = effect["present"] + tally.positive
    effect["absent"] = effect["absent"] + tally.negative
    blank_outcome = "absent" if blank == "zero" else "left_out"
    effect[blank_outcome] = effect[blank_outcome] + tally.blank
    return Effect(**effect)
