import numpy as np
import pytest
import sklearn.metrics as reference
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.metrics import coverage, hamming_loss, label_ranking_precision, subset_accuracy


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def test_means_over_images_agree_with_scikit_learn(random: np.random.Generator) -> None:
    targets = (random.random((200, 6)) < 0.3).astype(float)
    targets[:, 0] = 1 - targets[:, 1:].max(1)  # "No Finding": every image has a true label
    scores = np.floor(random.random((200, 6)) * 8) / 8  # with ties
    calls = scores >= 0.5
    assert hamming_loss(targets, calls).mean() == pytest.approx(reference.hamming_loss(targets, calls))
    assert subset_accuracy(targets, calls).mean() == reference.accuracy_score(targets, calls)
    expected = reference.label_ranking_average_precision_score(targets, scores)
    assert label_ranking_precision(targets, scores).mean() == pytest.approx(expected)
    assert coverage(targets, scores).mean() == pytest.approx(reference.coverage_error(targets, scores))


def test_unknown_labels_are_ignored(random: np.random.Generator) -> None:
    targets = random.integers(0, 2, (30, 5)).astype(float)
    scores = random.random((30, 5))
    wider = np.insert(targets, 2, np.nan, axis=1)
    extra = np.insert(scores, 2, 0.99, axis=1)
    for metric in (coverage, label_ranking_precision):
        assert_array_equal(metric(wider, extra), metric(targets, scores))
    for decided in (hamming_loss, subset_accuracy):
        assert_array_equal(decided(wider, extra > 0.5), decided(targets, scores > 0.5))


def test_images_without_known_or_present_labels() -> None:
    targets = np.array([[np.nan, np.nan], [0, 0]])
    scores = np.array([[0.1, 0.9], [0.1, 0.9]])
    assert_array_equal(label_ranking_precision(targets, scores), [np.nan, np.nan])
    assert_array_equal(coverage(targets, scores), [np.nan, 0])
    assert_array_equal(hamming_loss(targets, scores > 0.5), [np.nan, 0.5])
    assert_array_equal(subset_accuracy(targets, scores > 0.5), [np.nan, 0])


def test_a_ranking_counted_by_hand() -> None:
    # Read from the top: B (absent), A (present), C (present), D (absent).
    targets, scores = np.array([[1.0, 0, 1, 0]]), np.array([[0.8, 0.9, 0.6, 0.2]])
    assert_allclose(label_ranking_precision(targets, scores), [(1 / 2 + 2 / 3) / 2])
    assert_array_equal(coverage(targets, scores), [3])


def test_images_without_labels_are_refused() -> None:
    with pytest.raises(InputError, match="without labels"):
        coverage(np.zeros((3, 0)), np.zeros((3, 0)))
