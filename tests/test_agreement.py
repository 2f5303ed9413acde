import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import cohen_kappa_score

from cxrbench.agreement import cohen_kappa, disagreement, fleiss_kappa
from cxrbench.errors import InputError


@pytest.fixture
def calls() -> np.ndarray:
    random = np.random.default_rng(9)
    truth = random.random((80, 4)) < [0.1, 0.4, 0.6, 0.9]
    return np.stack([truth ^ (random.random(truth.shape) < 0.15) for _ in range(3)])


def test_cohens_kappa_agrees_with_scikit_learn(calls: np.ndarray) -> None:
    for finding, value in enumerate(cohen_kappa(calls[0], calls[1])):
        assert value == pytest.approx(cohen_kappa_score(calls[0][:, finding], calls[1][:, finding]))


def test_fleiss_kappa_is_the_papers_formula_counted_slowly(calls: np.ndarray) -> None:
    models, images, _ = calls.shape
    for finding, value in enumerate(fleiss_kappa(calls)):
        table = [[int(calls[:, i, finding].sum()), 0] for i in range(images)]
        table = [[yes, models - yes] for yes, _ in table]
        within = [sum(n * (n - 1) for n in row) / (models * (models - 1)) for row in table]
        shares = [sum(row[j] for row in table) / (models * images) for j in range(2)]
        expected = sum(share**2 for share in shares)
        assert value == pytest.approx((np.mean(within) - expected) / (1 - expected))


def test_fleiss_own_example_of_two_categories() -> None:
    # Three raters, four subjects: yes-counts 3, 0, 2, 1.
    calls = np.array([[1, 0, 1, 1], [1, 0, 1, 0], [1, 0, 0, 0]], bool)[:, :, None]
    assert_allclose(fleiss_kappa(calls), [(2 / 3 - 0.5) / 0.5])


def test_full_agreement_is_one_chance_is_zero_and_a_constant_is_undefined(calls: np.ndarray) -> None:
    assert_array_equal(fleiss_kappa(np.stack([calls[0]] * 3)), 1)
    random = np.random.default_rng(10)
    chance = random.random((2, 40_000, 1)) < 0.3
    assert abs(cohen_kappa(*chance)[0]) < 0.02
    assert abs(fleiss_kappa(chance)[0]) < 0.02
    assert np.isnan(cohen_kappa(np.ones((5, 1), bool), np.ones((5, 1), bool))[0])
    assert np.isnan(fleiss_kappa(np.zeros((3, 5, 1), bool))[0])
    assert np.isnan(fleiss_kappa(np.zeros((3, 0, 1), bool))[0])


def test_disagreement_is_the_share_of_the_minority() -> None:
    calls = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], bool)[:, :, None]
    assert_array_equal(disagreement(calls)[:, 0], [0, 0.5, 0.25])


def test_a_single_model_is_refused() -> None:
    with pytest.raises(InputError, match="two models or more"):
        fleiss_kappa(np.ones((1, 5, 2), bool))
