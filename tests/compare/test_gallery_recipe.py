from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.data import COLUMNS, Studies
from train.cases import (
    RULES,
    CaseRule,
    Pool,
    choose,
    false_positive,
    highest_positive,
    missed,
    normal,
    several,
    subtle,
    true_positive,
)

LABELS = ("No Finding", "Pneumothorax", "Edema", "Support Devices")
NAN = float("nan")


@pytest.fixture
def pool() -> Pool:
    """Six studies: two pneumothoraces predicted, one missed, one false positive, two normal ones."""
    truth = np.array(
        [[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 0, 0]], float
    )
    margin = np.array(
        [
            [0, 0.9, 0.7, 0],
            [0, 0.8, 0.1, 0],
            [0, 0.2, 0, 0],
            [0, 0.7, 0, 0.6],
            [0.9, 0.3, 0, 0],
            [0.4, 0.1, 0.2, 0.1],
        ]
    )
    severity = np.where(truth == 1, [[0.5], [0.3], [0.9], [0.5], [0.5], [0.5]], NAN)
    table = pd.DataFrame({column: [""] * 6 for column in COLUMNS} | dict(zip(LABELS, truth.T, strict=True)))
    return Pool(Studies(table, LABELS, "test"), LABELS, truth, severity, margin, margin)


@pytest.mark.parametrize(
    ("priority", "row"),
    [
        (true_positive("Pneumothorax"), 1),  # study 0 has a higher score, but also an edema
        (subtle("Pneumothorax"), 1),
        (missed("Pneumothorax"), 2),
        (false_positive("Pneumothorax"), 3),
        (false_positive("Pneumothorax", beside="Support Devices"), 3),
        (normal, 5),
        (several, 0),
    ],
)
def test_a_rule_selects_the_study_it_describes(priority: Callable[..., Any], row: int, pool: Pool) -> None:
    assert int(np.argmax(priority(pool))) == row


def test_a_rule_without_a_matching_study_selects_none(pool: Pool) -> None:
    assert not np.isfinite(missed("Support Devices")(pool)[[0, 1, 2, 4, 5]]).any()
    assert not np.isfinite(false_positive("Edema")(pool)).any()


def test_no_study_is_selected_twice(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "Pneumothorax"
    priorities = (true_positive(name), several, normal, missed(name), false_positive(name))
    few = tuple(CaseRule(f"rule-{number}", "", "", priority) for number, priority in enumerate(priorities))
    monkeypatch.setattr("train.cases.RULES", few)
    chosen = choose(pool)
    assert len(set(chosen.values())) == len(chosen) == 5


def test_the_default_finding_of_a_case_is_the_present_one_with_the_highest_score(pool: Pool) -> None:
    assert highest_positive(pool, 0) == "Pneumothorax"
    assert highest_positive(pool, 4) == "No Finding"


def test_rules_have_ids_for_links_and_state_why() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.id.replace("-", "").isalnum()
        assert rule.id == rule.id.lower()
        assert rule.why.endswith(".") or rule.why.endswith("?")
