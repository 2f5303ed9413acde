from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.data import COLUMNS, Studies
from train.cases import RULES, Pool, Rule, choose, false_alarm, missed, normal, right, several, subtle, surest

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
    ("wish", "row"),
    [
        (right("Pneumothorax"), 1),  # study 0 is surer but has an edema as well
        (subtle("Pneumothorax"), 1),
        (missed("Pneumothorax"), 2),
        (false_alarm("Pneumothorax"), 3),
        (false_alarm("Pneumothorax", beside="Support Devices"), 3),
        (normal, 5),
        (several, 0),
    ],
)
def test_a_rule_selects_the_study_it_describes(wish: Callable[..., Any], row: int, pool: Pool) -> None:
    assert int(np.argmax(wish(pool))) == row


def test_a_rule_without_a_matching_study_selects_none(pool: Pool) -> None:
    assert not np.isfinite(missed("Support Devices")(pool)[[0, 1, 2, 4, 5]]).any()
    assert not np.isfinite(false_alarm("Edema")(pool)).any()


def test_no_study_is_selected_twice(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = (right("Pneumothorax"), several, normal, missed("Pneumothorax"), false_alarm("Pneumothorax"))
    few = tuple(Rule(f"rule-{number}", "", "", wish) for number, wish in enumerate(wishes))
    monkeypatch.setattr("train.cases.RULES", few)
    chosen = choose(pool)
    assert len(set(chosen.values())) == len(chosen) == 5


def test_a_case_without_a_finding_of_its_own_is_about_the_surest_that_is_present(pool: Pool) -> None:
    assert surest(pool, 0) == "Pneumothorax"
    assert surest(pool, 4) == "No Finding"


def test_rules_have_ids_for_links_and_state_why() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.id.replace("-", "").isalnum()
        assert rule.id == rule.id.lower()
        assert rule.why.endswith(".") or rule.why.endswith("?")
