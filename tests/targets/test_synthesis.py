import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.targets import imbalance, ml_smote


def some(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, 4)), (rng.random((60, 4)) < [0.6, 0.5, 0.15, 0.1]).astype(float)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_each_new_example_lies_between_neighbours_and_has_the_findings_of_most(
    seed: int, neighbours: int
) -> None:
    features, targets = some(seed)
    made, shown = ml_smote(features, targets, neighbours=neighbours, seed=seed)
    ratios, row = imbalance.irlbl(targets), 0
    for label in range(4):
        bag = [i for i in range(60) if targets[i, label] == 1]
        if not ratios[label] > imbalance.mean_ir(targets) or len(bag) < 2:
            continue
        for index in bag:
            others = [i for i in bag if i != index]
            others.sort(key=lambda i: np.linalg.norm(features[i] - features[index]))
            near = others[:neighbours]
            ways = [between(made[row], features[index], features[other]) for other in near]
            assert any(way is not None and 0 <= way < 1 for way in ways)
            group = targets[[index, *near]]
            assert_array_equal(shown[row], (group.sum(0) > len(group) / 2).astype(float))
            row += 1
    assert row == len(made) == len(shown)


def between(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float | None:
    """How far along from start to end a point is; None where it is not on the way."""
    way = float((point - start) @ (end - start) / ((end - start) @ (end - start)))
    return way if np.allclose(start + way * (end - start), point) else None


def test_a_worked_example() -> None:
    features = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [6.0, 5.0], [7.0, 5.0]])
    targets = np.array([[0, 1], [0, 1], [1, 0], [1, 0], [1, 0]])
    made, shown = ml_smote(features, targets, seed=0)  # IRLbl 1 and 1.5, MeanIR 1.25: the second is rare
    assert shown.tolist() == [[0, 1], [0, 1]]
    assert_allclose(made[:, 1], 0)
    assert ((made[:, 0] >= 0) & (made[:, 0] <= 1)).all()


def test_a_finding_with_one_example_gets_no_synthetic_ones() -> None:
    made, shown = ml_smote(np.eye(3), np.array([[1, 0], [1, 0], [0, 1]]))
    assert made.shape == (0, 3)
    assert shown.shape == (0, 2)


def test_draws_follow_the_seed() -> None:
    features, targets = some(1)
    assert_array_equal(ml_smote(features, targets, seed=2)[0], ml_smote(features, targets, seed=2)[0])
    assert (ml_smote(features, targets, seed=2)[0] != ml_smote(features, targets, seed=3)[0]).any()


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="one row per image"):
        ml_smote(np.eye(3), np.ones((2, 2)))
    with pytest.raises(InputError, match="at least 1"):
        ml_smote(np.eye(3), np.ones((3, 2)), neighbours=0)
