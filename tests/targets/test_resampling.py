import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.targets import imbalance, resampling


def some(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rate = rng.random(5) ** 2
    return (rng.random((rng.integers(20, 200), 5)) < rate).astype(float)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0, 0.1, 0.25, 1.5]))
def test_oversampling_agrees_with_the_papers_loop_copy_by_copy(seed: int, share: float) -> None:
    """Walk the algorithm on the copies made: whose turn it is must own each, and it must end when it says."""
    targets = some(seed)
    chosen = resampling.ml_ros(targets, share, seed=seed)
    assert_array_equal(chosen[: len(targets)], np.arange(len(targets)))
    copies = chosen[len(targets) :].tolist()
    grown, limit = list(targets), imbalance.mean_ir(targets)
    rare = [label for label, ratio in enumerate(imbalance.irlbl(targets)) if ratio > limit]
    wanted, turn = round(len(targets) * share), 0
    for index in copies:
        assert rare
        label = rare[turn]
        assert targets[index, label] == 1
        grown.append(targets[index])
        if imbalance.irlbl(np.array(grown))[label] <= limit:
            rare.remove(label)
        else:
            turn += 1
        turn = turn % len(rare) if rare else 0
    assert len(copies) == wanted or not rare


def test_oversampling_reduces_the_imbalance() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((2000, 4)) < [0.5, 0.4, 0.02, 0.01]).astype(float)
    grown = targets[resampling.ml_ros(targets, 0.25)]
    assert imbalance.mean_ir(grown) < imbalance.mean_ir(targets)
    assert (imbalance.irlbl(grown)[2:] < imbalance.irlbl(targets)[2:]).all()


def test_oversampling_stops_when_nothing_is_rare_any_more() -> None:
    targets = np.array([[1, 0]] * 9 + [[0, 1]])
    # IRLbl 1 and 9, MeanIR 5: the rare one is out of the bag as soon as 9 / n₊ ≤ 5, after one copy.
    assert resampling.ml_ros(targets, 5.0).tolist() == [*range(10), 9]
    assert resampling.ml_ros(np.zeros((4, 2)), 1.0).tolist() == [0, 1, 2, 3]


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0, 0.1, 0.25, 0.9]))
def test_undersampling_removes_only_images_without_a_rare_finding(seed: int, share: float) -> None:
    targets = some(seed)
    stay = resampling.ml_rus(targets, share, seed=seed)
    assert (np.diff(stay) > 0).all()
    ratios, limit = imbalance.irlbl(targets), imbalance.mean_ir(targets)
    rare = [i for i, row in enumerate(targets) if any(row[k] == 1 and ratios[k] > limit for k in range(5))]
    assert set(rare) <= set(stay.tolist())
    assert len(targets) - len(stay) == min(round(len(targets) * share), len(targets) - len(rare))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 1.0]))
def test_weights_are_the_probabilities_of_drawing_a_finding_and_then_an_image(
    seed: int, power: float
) -> None:
    targets = some(seed)
    bags = [[i for i, row in enumerate(targets) if row[k] == 1] for k in range(5)]
    bags.append([i for i, row in enumerate(targets) if not any(v == 1 for v in row)])
    bags = [bag for bag in bags if bag]
    total = sum(len(bag) ** power for bag in bags)
    chance = [
        sum(len(bag) ** power / total / len(bag) for bag in bags if i in bag) for i in range(len(targets))
    ]
    weights = resampling.sampling_weights(targets, power=power)
    assert_allclose(weights, chance)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()


def test_weights_of_a_worked_example() -> None:
    nan = math.nan
    targets = np.array([[1, 0], [1, nan], [1, 1], [-1, nan]])
    # Three bags of 3, 1 and 1 images, a third each.
    assert_allclose(resampling.sampling_weights(targets), [1 / 9, 1 / 9, 1 / 9 + 1 / 3, 1 / 3])


def test_draws_depend_on_the_seed_alone() -> None:
    targets = (np.random.default_rng(0).random((100, 3)) < [0.5, 0.5, 0.05]).astype(float)
    before = targets.copy()
    for draw in (resampling.ml_ros, resampling.ml_rus):
        assert_array_equal(draw(targets, 0.2, seed=1), draw(targets, 0.2, seed=1))
        assert draw(targets, 0.2, seed=1).tolist() != draw(targets, 0.2, seed=2).tolist()
    assert_array_equal(targets, before)


def test_an_invalid_share_is_refused() -> None:
    with pytest.raises(InputError, match="0 or more"):
        resampling.ml_ros(np.ones((2, 2)), -0.1)
    with pytest.raises(InputError, match=r"\[0, 1\)"):
        resampling.ml_rus(np.ones((2, 2)), 1.0)
