import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cxrbench.data.published import read_published
from cxrbench.data.splits import split
from cxrbench.data.studies import Studies
from cxrbench.errors import InputError


def make(patients: int, seed: int = 0, labels: int = 5) -> Studies:
    """One to six images per patient; labels from common to rare, also uncertain and blank."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), random.integers(1, 7, patients))
    random.shuffle(owner)
    targets = np.where(random.random((len(owner), labels)) < 0.5 ** np.arange(1, labels + 1), 1.0, 0.0)
    targets[random.random(targets.shape) < 0.05] = -1
    targets[random.random(targets.shape) < 0.2] = np.nan
    names = tuple("ABCDEFGHIJ"[:labels])
    table = pd.DataFrame(
        {
            "path": [f"{row}.png" for row in range(len(owner))],
            "patient": [f"patient{number:05}" for number in owner],
            **dict.fromkeys(("study", "view", "projection", "sex"), ""),
            "age": np.nan,
            **dict(zip(names, targets.T, strict=True)),
        }
    )
    return Studies(table, names, "made up")


def patients_of(studies: Studies, rows: np.ndarray) -> set[str]:
    return set(studies.table["patient"].iloc[rows])


@pytest.mark.parametrize("fractions", [(0.8, 0.2), (0.7, 0.1, 0.2), (0.25,) * 4, (1.0,)])
def test_every_row_is_in_one_part_and_no_patient_in_two(fractions: tuple[float, ...]) -> None:
    studies = make(300)
    sides = split(studies, fractions, seed=1)
    assert len(sides) == len(fractions)
    assert np.array_equal(np.sort(np.concatenate(sides)), np.arange(len(studies)))
    assert all((np.diff(side) > 0).all() for side in sides)
    for first, second in combinations(sides, 2):
        assert not patients_of(studies, first) & patients_of(studies, second)
    for side, fraction in zip(sides, fractions, strict=True):
        assert len(patients_of(studies, side)) == pytest.approx(300 * fraction, abs=3)


def test_every_label_is_balanced_where_a_random_split_is_not() -> None:
    studies = make(400, labels=8)
    sides = split(studies, (0.5, 0.25, 0.25), seed=0)
    for label in studies.labels:
        for value in (1, -1):
            having = set(studies.table.loc[studies.table[label] == value, "patient"])
            for side, fraction in zip(sides, (0.5, 0.25, 0.25), strict=True):
                share = len(having & patients_of(studies, side))
                assert share == pytest.approx(len(having) * fraction, abs=max(2, 0.05 * len(having)))


def slow_sides(sets: list[set[int]], shares: list[float], seed: int) -> list[int]:
    """Algorithm 1 of Sechidis et al. as printed, with all counts recomputed at every step."""
    random = np.random.default_rng(seed)
    order, lots = random.permutation(len(sets)), random.random(len(sets))
    left = set(range(len(sets)))
    labels = set().union(*sets)
    wanted = {label: [share * sum(label in had for had in sets) for share in shares] for label in labels}
    room = [share * len(sets) for share in shares]
    sides = [-1] * len(sets)
    while left:
        counts = {label: sum(label in sets[patient] for patient in left) for label in sorted(labels)}
        counts = {label: count for label, count in counts.items() if count}
        rarest = min(counts, key=counts.__getitem__, default=None)
        for patient in (int(p) for p in order if p in left and (rarest is None or rarest in sets[p])):
            lack = room if rarest is None else wanted[rarest]
            best = max((lack[side], room[side]) for side in range(len(shares)))
            equals = [side for side in range(len(shares)) if (lack[side], room[side]) == best]
            side = equals[int(lots[patient] * len(equals))]
            for label in sets[patient]:
                wanted[label][side] -= 1
            room[side] -= 1
            sides[patient] = side
            left.discard(patient)
    return sides


@pytest.mark.parametrize("seed", range(4))
def test_the_split_equals_the_published_algorithm(seed: int) -> None:
    studies = make(200, seed=seed)
    one_each = studies.take(np.flatnonzero(~studies.table["patient"].duplicated()))
    one_each = one_each.take(np.argsort(one_each.table["patient"].to_numpy(dtype=str)))
    positive, uncertain = one_each.targets == 1, one_each.targets == -1
    sets = [set(np.flatnonzero(row).tolist()) for row in np.hstack([positive, uncertain])]
    expected = slow_sides(sets, [0.6, 0.3, 0.1], seed)
    for side, rows in enumerate(split(one_each, (0.6, 0.3, 0.1), seed=seed)):
        assert [row for row, found in enumerate(expected) if found == side] == rows.tolist()


def test_the_rarest_label_is_split_exactly() -> None:
    studies = make(200)
    table = studies.table.copy()
    table["E"] = 0.0
    rare = table["patient"].drop_duplicates().sample(8, random_state=0)
    table.loc[table["patient"].isin(rare), "E"] = 1.0
    studies = Studies(table, studies.labels, "made up")
    for seed in range(5):
        sides = split(studies, (0.5, 0.25, 0.25), seed=seed)
        assert [len(set(rare) & patients_of(studies, side)) for side in sides] == [4, 2, 2]


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    studies = make(150)
    first = [patients_of(studies, side) for side in split(studies, (0.6, 0.4), seed=3)]
    assert [patients_of(studies, side) for side in split(studies, (0.6, 0.4), seed=3)] == first
    assert [patients_of(studies, side) for side in split(studies, (0.6, 0.4), seed=4)] != first
    shuffled = studies.take(np.random.default_rng(0).permutation(len(studies)))
    assert [patients_of(shuffled, side) for side in split(shuffled, (0.6, 0.4), seed=3)] == first


def test_impossible_splits_are_refused() -> None:
    studies = make(10)
    for fractions in ((0.5, 0.4), (1.2, -0.2), (), (0.0, 1.0)):
        with pytest.raises(InputError, match="together 1"):
            split(studies, fractions)
    with pytest.raises(InputError, match="as many patients; got 10"):
        split(studies, (1 / 11,) * 11)
    table = studies.table.copy()
    table.loc[4, "patient"] = ""
    with pytest.raises(InputError, match="Row 5 names no patient"):
        split(Studies(table, studies.labels, "made up"), (0.5, 0.5))


def test_chexpert_is_split_in_seconds_with_every_label_balanced() -> None:
    studies = read_published("chexpert")
    start = time.perf_counter()
    sides = split(studies, (0.8, 0.1, 0.1), seed=0)
    assert time.perf_counter() - start < 30
    positive = np.array([(studies.targets[side] == 1).sum(0) for side in sides])
    np.testing.assert_allclose(positive / positive.sum(0), np.tile([[0.8], [0.1], [0.1]], 14), atol=0.015)
