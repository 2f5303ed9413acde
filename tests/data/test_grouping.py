import numpy as np
import pandas as pd
import pytest

from cxrbench.data import POOLINGS, Studies, group_views, read_published
from cxrbench.data.studies import COLUMNS
from cxrbench.errors import InputError


def table(rows: list[tuple[str, str, str]]) -> Studies:
    full = [(str(i), patient, study, view, "", "", np.nan) for i, (patient, study, view) in enumerate(rows)]
    return Studies(pd.DataFrame(full, columns=list(COLUMNS)), (), "test")


MIXED = table(
    [
        ("p1", "p1/study1", "frontal"),
        ("p2", "p2/study1", "lateral"),
        ("p1", "p1/study2", "frontal"),
        ("p1", "p1/study1", "lateral"),
        ("p1", "p1/study1", "frontal"),
        ("p3", "p3/", "frontal"),
        ("p3", "p3/", "lateral"),
        ("p4", "", ""),
    ]
)


def test_views_of_a_study_are_grouped_in_any_row_order() -> None:
    groups = group_views(MIXED)
    assert groups.of_row.tolist() == [0, 1, 2, 0, 0, 3, 4, 5]
    assert groups.first.tolist() == [0, 1, 2, 5, 6, 7]
    assert groups.pairs.tolist() == [[0, 3], [-1, 1], [2, -1], [5, -1], [-1, 6], [-1, -1]]
    assert groups.complete.tolist() == [True, False, False, False, False, False]
    assert groups.rows(0).tolist() == [0, 3, 4]


def test_the_same_study_number_of_two_patients_is_two_studies() -> None:
    assert len(group_views(table([("p1", "1", "frontal"), ("p2", "1", "lateral")]))) == 2


@pytest.mark.parametrize("how", list(POOLINGS))
def test_pooled_scores_equal_those_of_each_study_alone(how: str) -> None:
    groups = group_views(MIXED)
    scores = np.random.default_rng(0).random((len(MIXED), 3))
    scores[[0, 3, 4], 1] = np.nan  # nothing known in the whole study
    scores[3, 0] = np.nan
    pooled = groups.pool(scores, how)
    for study in range(len(groups)):
        for label in range(3):
            known = [value for value in scores[groups.rows(study), label] if not np.isnan(value)]
            slow = np.nan if not known else max(known) if how == "max" else sum(known) / len(known)
            np.testing.assert_allclose(pooled[study, label], slow)


def test_unknown_poolings_and_arrays_of_another_length_are_refused() -> None:
    groups = group_views(MIXED)
    with pytest.raises(InputError, match="max, mean"):
        groups.pool(np.zeros((8, 1)), "median")
    with pytest.raises(InputError, match="8; got 7"):
        groups.pool(np.zeros((7, 1)))


def test_an_empty_table_has_no_studies() -> None:
    groups = group_views(MIXED.take([]))
    assert len(groups) == 0
    assert groups.pool(np.zeros((0, 2))).shape == (0, 2)


def test_all_studies_of_chexpert_are_found() -> None:
    groups = group_views(read_published("chexpert"))
    assert len(groups) == 187_641
    assert (groups.lateral >= 0).sum() <= 32_387  # a few studies have two
    assert groups.complete.sum() > 30_000
