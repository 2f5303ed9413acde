import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from cxrbench.errors import InputError
from cxrbench.evaluation import ABOUT, SUBGROUPS, Predictions, groups, subgroups
from cxrbench.metrics import auroc


def made(images: int = 300, gap: float = 2.0) -> Predictions:
    """Scores that tell men's findings better than women's, by ``gap``."""
    random = np.random.default_rng(1)
    table = pd.DataFrame({column: [""] * images for column in ABOUT})
    table["path"] = table["patient"] = [f"p{i}" for i in range(images)]
    table["sex"] = random.choice(["M", "F"], images)
    table["age"] = random.integers(20, 95, images).astype(float)
    table["view"], table["projection"] = "frontal", random.choice(["AP", "PA"], images)
    table.loc[:4, ["sex", "projection", "view"]] = ""
    table.loc[:4, "age"] = np.nan
    targets = random.integers(0, 2, (images, 1)).astype(np.float32)
    strength = np.where(table["sex"] == "M", gap, 0)[:, None]
    scores = 1 / (1 + np.exp(-(strength * targets + random.normal(size=targets.shape))))
    return Predictions(table, ("A",), targets, scores.astype(np.float32), "made")


def test_groups_are_those_of_the_table_and_the_unknown_are_in_none() -> None:
    predictions = made()
    by_sex, by_age = groups(predictions, "sex"), groups(predictions, "age")
    assert list(by_sex) == ["men", "women"]
    assert list(by_age) == ["0–39", "40–59", "60–79", "80+"]
    assert list(groups(predictions, "view")) == ["AP", "PA"]
    for found in (by_sex, by_age):
        times = np.sum([rows.astype(int) for rows in found.values()], axis=0)
        assert_array_equal(times[:5], 0)
        assert_array_equal(times[5:], 1)
    ages = predictions.table["age"].to_numpy()
    assert ages[by_age["40–59"]].min() >= 40
    assert ages[by_age["40–59"]].max() < 60


@pytest.mark.parametrize("by", SUBGROUPS)
def test_a_groups_figure_is_the_metric_of_its_images(by: str) -> None:
    predictions = made()
    for group in subgroups(predictions, np.array([0.5]), by, count=50):
        rows = groups(predictions, by)[group.name]
        assert group.images == rows.sum()
        assert group.positives + group.negatives == rows.sum()
        inside = auroc(predictions.targets[rows], predictions.scores[rows])
        outside = auroc(predictions.targets[~rows], predictions.scores[~rows])
        assert_array_equal(group.value.estimate, inside)
        assert group.gap is not None
        assert_array_equal(group.gap.estimate, inside - outside)


def test_a_gap_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    unequal = {g.name: g for g in subgroups(made(600), np.array([0.5]), "sex", count=300)}
    gap = unequal["women"].gap
    assert gap is not None
    assert gap.high[0] < 0
    assert gap.p[0] < 0.05
    equal = {g.name: g for g in subgroups(made(600, gap=0), np.array([0.5]), "sex", count=300)}
    gap = equal["women"].gap
    assert gap is not None
    assert gap.low[0] < 0 < gap.high[0]


def test_one_group_alone_has_no_gap_and_an_unknown_division_is_refused() -> None:
    predictions = made()
    predictions.table["sex"] = "F"
    (only,) = subgroups(predictions, np.array([0.5]), "sex", count=20)
    assert only.gap is None
    with pytest.raises(InputError, match="choose from: sex, age, view"):
        groups(predictions, "race")
