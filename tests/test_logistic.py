import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from cxrbench.logistic import clipped_logits, fit_logistic


@pytest.fixture
def world() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    design = np.column_stack([random.normal(size=(300, 3)), np.ones(300)])
    return design, (random.random(300) < expit(design @ [1.0, -0.5, 0.0, -1.0])).astype(float)


def test_with_a_prior_of_zero_it_is_scikit_learns(world: tuple[np.ndarray, np.ndarray]) -> None:
    design, truth = world
    ours = fit_logistic(design, truth, prior=np.zeros(4), precision=np.full(4, 2.5))
    theirs = LogisticRegression(C=1 / 2.5, fit_intercept=False, tol=1e-10).fit(design, truth)
    assert_allclose(ours, theirs.coef_[0], atol=1e-6)


def test_at_the_minimum_data_and_prior_pull_equally(world: tuple[np.ndarray, np.ndarray]) -> None:
    design, truth = world
    prior, precision = np.array([1.0, 0, 0, 0]), np.array([5.0, 5, 5, 1e-6])
    found = fit_logistic(design, truth, prior=prior, precision=precision)
    pull = design.T @ (expit(design @ found) - truth) + precision * (found - prior)
    assert_allclose(pull, 0, atol=1e-5)


def test_a_strong_prior_stays_where_it_is(world: tuple[np.ndarray, np.ndarray]) -> None:
    design, truth = world
    prior = np.array([1.0, 2.0, -3.0, 0.5])
    assert_allclose(fit_logistic(design, truth, prior=prior, precision=np.full(4, 1e9)), prior, atol=1e-5)


def test_separable_examples_have_finite_coefficients() -> None:
    design, truth = np.array([[-1.0, 1], [-2, 1], [1, 1], [2, 1]]), np.array([0.0, 0, 1, 1])
    found = fit_logistic(design, truth, prior=np.array([1.0, 0]), precision=np.full(2, 4e-3))
    assert np.isfinite(found).all()
    assert found[0] > 1


def test_logits_of_scores_of_0_and_1_are_finite() -> None:
    assert_allclose(clipped_logits(np.array([0, 0.5, 1])), [np.log(1e-6), 0, -np.log(1e-6)], atol=1e-5)
